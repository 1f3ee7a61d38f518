/*
 * stripe_body.c
 *		The body of a webhook as a text of this database.
 *
 * Stripe sends JSON in UTF-8, with any character written plainly or as \uXXXX.  What the
 * database's encoding has no character for, and what jsonb refuses everywhere (\u0000 and
 * half a surrogate pair), is kept as the six characters of its escape: an event that could
 * not be stored would be sent again for days, and then the endpoint would be disabled.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/namespace.h"
#include "common/int.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "common/compat.h"

/* Room for one converted character, as pg_do_encoding_conversion_buf() wants it. */
#define CONVERTED_SIZE			(4 * MAX_CONVERSION_GROWTH + 16)
#define BYTES_BETWEEN_LOOKS		0x10000

typedef struct Target
{
	int			encoding;		/* of the database */
	Oid			conversion;		/* from UTF-8; invalid: none */
} Target;

/* length: of the character in UTF-8.  The result in the database's encoding; NULL: it has no such character. */
static const char *
converted(const Target *target, const unsigned char *character, int length, char *buffer)
{
	if (target->encoding == PG_UTF8 || length == 1)
	{
		memcpy(buffer, character, length);
		buffer[length] = '\0';
		return buffer;
	}
	if (!OidIsValid(target->conversion) ||
		pg_do_encoding_conversion_buf(target->conversion, PG_UTF8, target->encoding,
									  unconstify(unsigned char *, character), length,
									  (unsigned char *) buffer, CONVERTED_SIZE, true) != length)
		return NULL;
	return buffer;
}

/* Both backslashes: in JSON, that is the text of the escape and not the character. */
static void
append_escape_text(StringInfo text, pg_wchar code)
{
	if (code >= 0x10000)
	{
		append_escape_text(text, 0xD800 + ((code - 0x10000) >> 10));
		code = 0xDC00 + ((code - 0x10000) & 0x3FF);
	}
	appendStringInfo(text, "\\\\u%04x", (unsigned int) code);
}

/* "\uXXXX" at the beginning of what is left. */
static bool
read_escape(const unsigned char *at, const unsigned char *end, pg_wchar *code)
{
	*code = 0;
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++)
	{
		int			digit = isxdigit(at[i]) ? (isdigit(at[i]) ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10) : -1;

		if (digit < 0)
			return false;
		*code = (*code << 4) | digit;
	}
	return true;
}

/* A backslash and what belongs to it; returns how many bytes that were. */
static int
append_escaped(StringInfo text, const Target *target, const unsigned char *at, const unsigned char *end)
{
	unsigned char utf8[MAX_MULTIBYTE_CHAR_LEN];
	char		buffer[CONVERTED_SIZE];
	pg_wchar	code;
	pg_wchar	low;
	int			taken = 6;

	if (!read_escape(at, end, &code))
	{
		taken = end - at >= 2 && !IS_HIGHBIT_SET(at[1]) ? 2 : 1;
		appendBinaryStringInfo(text, (const char *) at, taken);
		return taken;
	}
	if (is_utf16_surrogate_first(code) && read_escape(at + 6, end, &low) && is_utf16_surrogate_second(low))
	{
		code = surrogate_pair_to_codepoint(code, low);
		taken = 12;
	}
	if (code == 0 || is_utf16_surrogate_first(code) || is_utf16_surrogate_second(code))
		append_escape_text(text, code);
	else
	{
		unicode_to_utf8(code, utf8);
		if (converted(target, utf8, pg_encoding_mblen(PG_UTF8, (const char *) utf8), buffer) == NULL)
			append_escape_text(text, code);
		else
			appendBinaryStringInfo(text, (const char *) at, taken);
	}
	return taken;
}

/*
 * capforecast._stripe_text(body bytea) → text
 *		NULL where the body is not UTF-8.
 */
PG_FUNCTION_INFO_V1(capforecast_stripe_text);
Datum
capforecast_stripe_text(PG_FUNCTION_ARGS)
{
	bytea	   *body = PG_GETARG_BYTEA_PP(0);
	const unsigned char *at = (const unsigned char *) VARDATA_ANY(body);
	const unsigned char *end = at + VARSIZE_ANY_EXHDR(body);
	const unsigned char *look = at;
	char		buffer[CONVERTED_SIZE];
	StringInfoData text;
	Target		target = {.encoding = GetDatabaseEncoding()};

	target.conversion = FindDefaultConversionProc(PG_UTF8, target.encoding);
	initStringInfo(&text);
	while (at < end)
	{
		int			length;
		const char *character;

		if (at - look >= BYTES_BETWEEN_LOOKS)
		{
			CHECK_FOR_INTERRUPTS();
			look = at;
		}
		if (*at == '\\')
		{
			at += append_escaped(&text, &target, at, end);
			continue;
		}
		length = *at == '\0' ? -1 : pg_encoding_verifymbchar(PG_UTF8, (const char *) at, end - at);
		if (length < 0)
			PG_RETURN_NULL();
		character = converted(&target, at, length, buffer);
		if (character != NULL)
			appendStringInfoString(&text, character);
		else
			append_escape_text(&text, utf8_to_unicode(at));
		at += length;
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}
