/*
 * stripe_signature.c
 *		Is this body from Stripe?
 *
 * The header is "t=<unix>,v1=<hex>[,v1=<hex>]…": HMAC-SHA256 over "<t>.<body>" with the
 * endpoint's secret.  Every v1 is tried with every secret (secrets are rolled with an
 * overlap), other schemes are ignored, and the time must be within the tolerance on
 * either side, so that a captured request cannot be replayed.
 *
 * The function is SECURITY DEFINER and reads the secrets from a table that its owner
 * alone can read: a secret is never an argument, so it reaches no log and no
 * pg_stat_activity.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/clock.h"
#include "common/compat.h"
#include "common/scope.h"
#include "common/settings.h"

#define MAX_SIGNATURES		16
#define BYTES_BETWEEN_LOOKS	0x10000

typedef struct Header
{
	char	   *time_text;		/* as signed; NULL: none */
	int64		time;			/* Unix seconds */
	int			n_signatures;
	uint8		signatures[MAX_SIGNATURES][PG_SHA256_DIGEST_LENGTH];
} Header;

static bool
parse_digest(const char *text, uint8 *digest)
{
	if (strlen(text) != PG_SHA256_DIGEST_STRING_LENGTH - 1 ||
		strspn(text, "0123456789abcdef") != strlen(text))
		return false;
	hex_decode(text, strlen(text), (char *) digest);
	return true;
}

/* Eleven digits reach the year 5138; a sign or a blank is not what Stripe sends. */
static bool
parse_time(const char *text, int64 *seconds)
{
	size_t		length = strlen(text);

	if (length == 0 || length > 11 || strspn(text, "0123456789") != length)
		return false;
	*seconds = strtoll(text, NULL, 10);
	return true;
}

static void
parse_header(char *text, Header *header)
{
	char	   *at = NULL;

	memset(header, 0, sizeof(*header));
	for (char *part = strtok_r(text, ",", &at); part != NULL; part = strtok_r(NULL, ",", &at))
	{
		part += strspn(part, " ");
		if (strncmp(part, "t=", 2) == 0 && header->time_text == NULL && parse_time(part + 2, &header->time))
			header->time_text = part + 2;
		else if (strncmp(part, "v1=", 3) == 0 && header->n_signatures < MAX_SIGNATURES &&
				 parse_digest(part + 3, header->signatures[header->n_signatures]))
			header->n_signatures++;
	}
}

static void
sign(const char *secret, const char *time_text, bytea *body, uint8 *digest)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	const uint8 *at = (const uint8 *) VARDATA_ANY(body);
	size_t		left = VARSIZE_ANY_EXHDR(body);
	bool		good = context != NULL &&
		pg_hmac_init(context, (const uint8 *) secret, strlen(secret)) >= 0 &&
		pg_hmac_update(context, (const uint8 *) time_text, strlen(time_text)) >= 0 &&
		pg_hmac_update(context, (const uint8 *) ".", 1) >= 0;

	while (good && left > 0)
	{
		size_t		length = Min(left, BYTES_BETWEEN_LOOKS);

		CHECK_FOR_INTERRUPTS();
		good = pg_hmac_update(context, at, length) >= 0;
		at += length;
		left -= length;
	}
	if (!good || pg_hmac_final(context, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute HMAC");
	pg_hmac_free(context);
}

/* All pairs are compared, whichever matches: the time taken says nothing. */
static bool
any_secret_matches(const Header *header, bytea *body)
{
	bool		matches = false;

	scope_execute("SELECT s.secret FROM (SELECT capforecast._unseal(secret) AS secret FROM capforecast._secret "
				  "WHERE name = 'stripe_webhook') s WHERE s.secret <> ''", 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no webhook secret is stored"),
				 errdetail("Table capforecast._secret has no row \"stripe_webhook\" that was sealed in this database."),
				 errhint("As its owner, run COPY capforecast._secret (secret) FROM STDIN (DELIMITER E'\\x01'), "
						 "which keeps it out of the log."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "no_secret")));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		uint8		digest[PG_SHA256_DIGEST_LENGTH];

		sign(SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1), header->time_text, body, digest);
		for (int i = 0; i < header->n_signatures; i++)
			matches |= timingsafe_bcmp(digest, header->signatures[i], sizeof(digest)) == 0;
	}
	return matches;
}

static bool
within_tolerance(int64 seconds, TimestampTz now)
{
	int64		unix_epoch = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	int64		difference = now - (seconds - unix_epoch) * USECS_PER_SEC;

	return llabs((long long) difference) <= (int64) setting_stripe_tolerance * USECS_PER_SEC;
}

/*
 * capforecast._stripe_signature(body bytea, signature text, as_of timestamptz) → text
 *		NULL: valid; else no_v1, signature_mismatch or timestamp_outside_tolerance.
 */
PG_FUNCTION_INFO_V1(capforecast_stripe_signature);
Datum
capforecast_stripe_signature(PG_FUNCTION_ARGS)
{
	bytea	   *body = PG_GETARG_BYTEA_PP(0);
	TimestampTz now = clock_as_of(fcinfo, 2, GetCurrentTimestamp());
	const char *verdict = NULL;
	Header		header;
	Scope		scope;

	parse_header(text_to_cstring(PG_GETARG_TEXT_PP(1)), &header);
	scope_enter(&scope);
	if (header.n_signatures == 0)
		verdict = "no_v1";
	else if (header.time_text == NULL || !any_secret_matches(&header, body))
		verdict = "signature_mismatch";
	else if (!within_tolerance(header.time, now))
		verdict = "timestamp_outside_tolerance";
	scope_leave(&scope);
	if (verdict == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(verdict));
}
