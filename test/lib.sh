# Shared by the runners: what to install, and throw-away servers.  POSIX sh, sourced.
#
# A server is made from a staged copy of the extension ("make install DESTDIR=…"), so
# that nothing is installed into the system's PostgreSQL, and works as root (the server
# then runs as postgres) or as any user.

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# with_progress COMMAND...: runs it, and says meanwhile how far the work is that capforecast.progress() shows.
with_progress() {
	"$@" &
	command=$!
	waited=0
	while kill -0 $command 2>/dev/null; do
		sleep 1
		waited=$((waited + 1))
		[ $((waited % 3)) = 0 ] || continue
		psql -qXAt -c "SELECT '   ' || what || ': ' || done || coalesce(' of ' || total, '') || coalesce(', ' || extract(epoch FROM \"left\")::integer || ' s left', '') FROM capforecast.progress()" 2>/dev/null || :
	done
	wait $command
}

# The checkout that the running script is in.
here=$(cd "$(dirname "$0")" && pwd)
while [ ! -f "$here/capforecast.control" ]; do
	[ "$here" != / ] || die "$0 is not in a checkout of capforecast"
	here=$(dirname "$here")
done

# ---------- what is missing ----------

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null 2>&1; then sudo "$@"
	else die "these packages are missing and there is no sudo: $missing"
	fi
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null; }

# The PostgreSQL that PG_CONFIG names, else the newest installed, else Debian's own.
pg_major() {
	if [ -n "${PG_CONFIG:-}" ]; then "$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; return; fi
	newest=$(ls /usr/lib/postgresql 2>/dev/null | grep -E '^(1[5-9]|[2-9][0-9])$' | sort -n | tail -1)
	if [ -n "$newest" ]; then echo "$newest"; return; fi
	apt-cache show postgresql 2>/dev/null | sed -n 's/^Depends:.*postgresql-\([0-9]*\).*/\1/p' | head -1
}

# need_packages PACKAGE...: installs those that are missing (Debian, Ubuntu).
need_packages() {
	missing=
	for package in "$@"; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	say "installing:$missing"
	apt_get update || say "apt-get update failed; going on with the lists at hand"
	# Debian would make a cluster and start it: nothing of ours is to be left running.
	case $missing in *postgresql*)
		apt_get install --no-install-recommends postgresql-common
		conf=/etc/postgresql-common/createcluster.conf
		as_root cp "$conf" "$conf.capforecast"
		# put back whatever ends it
		(
			trap 'as_root mv "$conf.capforecast" "$conf"' EXIT
			trap 'exit 130' INT
			trap 'exit 143' TERM HUP
			as_root sh -c "echo 'create_main_cluster = false' >> $conf"
			# shellcheck disable=SC2086
			apt_get install --no-install-recommends $missing
		) || die "could not install:$missing" ;;
	*)
		# shellcheck disable=SC2086
		apt_get install --no-install-recommends $missing || die "could not install:$missing" ;;
	esac
}

# need_server [PACKAGE...]: PostgreSQL, its headers, pg_cron, a compiler, and the named ones.
need_server() {
	if command -v apt-get >/dev/null 2>&1; then
		major=$(pg_major)
		if [ -z "$major" ]; then as_root apt-get -qq update; major=$(pg_major); fi
		[ -n "$major" ] || die "no PostgreSQL 15 or newer in the package lists"
		need_packages "postgresql-$major" "postgresql-server-dev-$major" "postgresql-$major-cron" make gcc libc6-dev \
			$(printf '%s\n' "$@" | sed "s/MAJOR/$major/")
		PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$major/bin/pg_config}
	fi
	PG_CONFIG=${PG_CONFIG:-pg_config}
	command -v "$PG_CONFIG" >/dev/null || die "pg_config not found: set PG_CONFIG"
	bin=$("$PG_CONFIG" --bindir)
	pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
}

# fetch_tools FOLDER PACKAGE...: their programs, unpacked there and not installed, so that no
# service of theirs is started. Where they are not to be had, the folder lacks them.
fetch_tools() {
	folder=$1
	shift
	mkdir -p "$folder"
	command -v apt-get >/dev/null 2>&1 || return 0
	for package in "$@"; do
		(cd "$folder" && apt-get -qq download "$package" >/dev/null 2>&1 && dpkg-deb -x "$package"_*.deb . && rm -f "$package"_*.deb) ||
			say "$package could not be fetched; what needs it is skipped"
	done
}

# ---------- a place to work ----------

# The server refuses root.  $as runs a command as the user that owns the server.
make_work() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/capforecast.XXXXXX")
	as=
	owner=$(id -un)
	if [ "$(id -u)" = 0 ]; then
		owner=postgres
		as="runuser -u $owner --"
		# In a chroot whose / is root's alone, another user can run a program with the right to pass it,
		# which access(2) heeds under this bit only.
		if ! $as true 2>/dev/null; then
			for right in dac_read_search dac_override; do
				as="setpriv --reuid=$owner --regid=$owner --init-groups --securebits=+no_setuid_fixup --inh-caps=+$right --ambient-caps=+$right --"
				! $as true 2>/dev/null || break
			done
			$as true 2>/dev/null || die "user $owner cannot run a program here, because / is open to root alone (mode $(stat -c %a /)): chmod go+x /"
		fi
		chown "$owner" "$work"
	fi
	chmod 755 "$work"
	stage=$work/stage
	trap end_work EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

end_work() {
	rc=$?
	trap - EXIT
	# what runs beside us does not hear Ctrl-C
	for process in ${making:-} ${command:-}; do kill "$process" 2>/dev/null || :; done
	for data in "$work"/server*; do
		[ ! -f "$data/postmaster.pid" ] || $as "$bin/pg_ctl" -D "$data" -m immediate -s stop || :
	done
	if [ $rc = 0 ] || [ "${KEEP_WORK:-}" = no ]; then rm -rf "$work"; else echo "left for inspection: $work"; fi
	exit $rc
}

# How many of the files are compiled, every five seconds.
make_with_progress() {
	total=$(find "$work/build/src" -name '*.c' | wc -l)
	make -s -C "$work/build" -j "$(nproc 2>/dev/null || echo 2)" PG_CONFIG="$PG_CONFIG" with_llvm=no &
	making=$!
	waited=0
	while kill -0 $making 2>/dev/null; do
		sleep 1
		waited=$((waited + 1))
		[ $((waited % 5)) != 0 ] || echo "   $(find "$work/build/src" -name '*.o' | wc -l) of $total files"
	done
	wait $making
}

# The build happens in a copy, so that a read-only or foreign checkout works, too.
build_and_stage() {
	say "building capforecast for $("$PG_CONFIG" --version)"
	mkdir -p "$work/build" "$stage"
	(cd "$here" && tar cf - --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude=./build .) | (cd "$work/build" && tar xf -)
	make_with_progress
	make -s -C "$work/build" install DESTDIR="$stage" PG_CONFIG="$PG_CONFIG" with_llvm=no >/dev/null
	[ -z "$as" ] || chown -R "$owner" "$work"
}

# server_settings DATABASE: the configuration of every throw-away server.
server_settings() {
	cat <<-C
	listen_addresses = ''
	unix_socket_directories = '$work'
	shared_preload_libraries = 'pg_cron'
	cron.use_background_workers = on
	cron.database_name = '$1'
	max_worker_processes = 16
	fsync = off
	C
	# Debian's servers look under extension_destdir first; elsewhere the two paths of 18 do it.
	if $as "$bin/postgres" --describe-config 2>/dev/null | grep -q '^extension_destdir'; then
		echo "extension_destdir = '$stage'"
	else
		echo "extension_control_path = '$stage$("$PG_CONFIG" --sharedir):\$system'"
		echo "dynamic_library_path = '$stage$("$PG_CONFIG" --pkglibdir):\$libdir'"
	fi
}

# start_server NAME DATABASE [SETTING...]: in $work/server-NAME; exports PGHOST and so on.
start_server() {
	name=$1 database=$2
	shift 2
	data=$work/server-$name
	$as "$bin/initdb" -D "$data" -A trust -N -U postgres -E UTF8 --locale=C.UTF-8 >/dev/null
	{ server_settings "$database"; for setting in "$@"; do echo "$setting"; done; } >> "$data/postgresql.conf"
	$as "$bin/pg_ctl" -D "$data" -w -s -l "$data/log" start
	export PGHOST="$work" PGPORT=5432 PGUSER=postgres PGDATABASE="$database"
	unset PGPASSWORD PGSERVICE PGOPTIONS
	PATH=$bin:$PATH
	export PATH
	[ "$database" = postgres ] || createdb "$database"
}
