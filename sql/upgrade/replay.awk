# replay.awk: an upgrade's statements from the pieces of the install script.
#
#	awk -f replay.awk OLD-INSTALL-SCRIPT PIECE...
#
# Routines, views and triggers are replaced, which keeps what was granted on them and what
# depends on them; what the old version has already (tables, types, indexes, operators, rows)
# is left out, and what it has not is made. What changes in between (columns, dropped
# functions) is written by hand in sql/upgrade/VERSION/ROOM.sql.

# The object that a statement makes: its first line up to a parenthesis or AS.
function made(line)
{
	sub(/ *(\(| AS ).*$/, "", line)
	sub(/;$/, "", line)
	return line
}

function settle(		first)
{
	first = statement
	sub(/\n.*/, "", first)
	if (reading_old)
		old[made(first)] = old[statement] = 1
	else if (first ~ /^CREATE (FUNCTION|PROCEDURE|VIEW|AGGREGATE|TRIGGER|CONSTRAINT TRIGGER) /)
	{
		sub(/^CREATE /, "CREATE OR REPLACE ", statement)
		printf "%s", statement
	}
	else if (first ~ /^CREATE /)
	{
		if (!(made(first) in old))
			printf "%s", statement
	}
	else if (first !~ /^INSERT / || !(statement in old))
		printf "%s", statement
	statement = ""
}

FNR == 1 { reading_old = NR == FNR; quote = ""; statement = "" }

# Between statements: blank lines, comments, \echo.
statement == "" && !/^[A-Z]/ { next }

{
	statement = statement $0 "\n"
	line = $0
	# a body that is parsed when the function is made ends with a line of its own
	if (quote == "" && line ~ /BEGIN ATOMIC$/)
		quote = "ATOMIC"
	else if (quote == "ATOMIC" && line == "END;")
		quote = ""
	while (quote != "ATOMIC" && match(line, /\$[A-Za-z_]*\$/))
	{
		tag = substr(line, RSTART, RLENGTH)
		if (quote == "")
			quote = tag
		else if (quote == tag)
			quote = ""
		line = substr(line, RSTART + RLENGTH)
	}
	if (quote == "" && line ~ /; *(--.*)?$/)
		settle()
}
