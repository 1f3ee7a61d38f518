/*
 * stripe_secret.c
 *		Secrets of webhook endpoints are sealed as they are stored.
 *
 * A stream cipher: SHA-256 of key, nonce and block number, and eight bytes of SHA-256 over
 * key, nonce and text, which tell whether the key is the right one.  The key is in two
 * sequences, which no publication carries.  These are C and not PL/pgSQL, because within a
 * COPY each message of the server, a debug message too, carries the line that was read:
 * here nothing is said between the line and the row.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "run/run_lock.h"

#define SEALED			"sealed:"
#define NONCE_LENGTH	16
#define TAG_LENGTH		8

static const char *const key_sequences[] = {"_secret_key_a_seq", "_secret_key_b_seq"};

static Oid
key_sequence(int i)
{
	return get_relname_relid(key_sequences[i], get_namespace_oid("capforecast", false));
}

/* Where none was made it is 0, or 1 after a nextval() of somebody. */
static int64
half_of_key(int i)
{
	LOCAL_FCINFO(call, 1);
	Datum		value;

	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = ObjectIdGetDatum(key_sequence(i));
	call->args[0].isnull = false;
	value = pg_sequence_last_value(call);
	return call->isnull ? 0 : DatumGetInt64(value);
}

static bool
key_is_made(void)
{
	return half_of_key(0) > 1 && half_of_key(1) > 1;
}

static void
make_key(void)
{
	run_lock("_secret");
	if (key_is_made())
		return;
	for (int i = 0; i < lengthof(key_sequences); i++)
	{
		uint64		random;

		if (!pg_strong_random(&random, sizeof(random)))
			elog(ERROR, "could not generate random bytes");
		DirectFunctionCall2(setval_oid, ObjectIdGetDatum(key_sequence(i)), Int64GetDatum((int64) (random >> 2) + 2));
	}
}

static void
hash(const uint8 *nonce, const uint8 *data, size_t length, uint8 *digest)
{
	int64		key[2] = {half_of_key(0), half_of_key(1)};
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) key, sizeof(key)) < 0 ||
		pg_cryptohash_update(context, nonce, NONCE_LENGTH) < 0 ||
		pg_cryptohash_update(context, data, length) < 0 ||
		pg_cryptohash_final(context, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256");
	pg_cryptohash_free(context);
}

/* Seals or opens in place: it is the same. */
static void
cross(const uint8 *nonce, uint8 *data, size_t length)
{
	uint8		block[PG_SHA256_DIGEST_LENGTH];

	for (size_t i = 0; i < length; i++)
	{
		uint32		number = (uint32) (i / sizeof(block));

		if (i % sizeof(block) == 0)
			hash(nonce, (const uint8 *) &number, sizeof(number), block);
		data[i] ^= block[i % sizeof(block)];
	}
}

/* Without blanks around it, and without the secret's name, as in a line of two columns. */
static char *
secret_as_meant(const char *typed)
{
	const char *blanks = " \t\r\n";
	const char *name = "stripe_webhook";
	char	   *secret = pstrdup(typed + strspn(typed, blanks));
	size_t		length = strlen(secret);

	while (length > 0 && strchr(blanks, secret[length - 1]) != NULL)
		secret[--length] = '\0';
	if (strncmp(secret, name, strlen(name)) == 0 && secret[strlen(name)] != '\0' &&
		strchr(blanks, secret[strlen(name)]) != NULL)
	{
		char	   *rest = secret + strlen(name);

		rest += strspn(rest, blanks);
		if (rest[strcspn(rest, blanks)] == '\0')
			return rest;
	}
	return secret;
}

static char *
seal(const char *secret)
{
	size_t		length = strlen(secret);
	size_t		total = NONCE_LENGTH + TAG_LENGTH + length;
	uint8	   *bytes = palloc(total);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *text = palloc(strlen(SEALED) + 2 * total + 1);

	if (!pg_strong_random(bytes, NONCE_LENGTH))
		elog(ERROR, "could not generate random bytes");
	hash(bytes, (const uint8 *) secret, length, digest);
	memcpy(bytes + NONCE_LENGTH, digest, TAG_LENGTH);
	memcpy(bytes + NONCE_LENGTH + TAG_LENGTH, secret, length);
	cross(bytes, bytes + NONCE_LENGTH + TAG_LENGTH, length);
	strcpy(text, SEALED);
	hex_encode((char *) bytes, total, text + strlen(SEALED));
	text[strlen(SEALED) + 2 * total] = '\0';
	return text;
}

/*
 * Trigger seal, for each row of _secret.  A NULL is left to the column's constraint.
 */
PG_FUNCTION_INFO_V1(capforecast_seal_secret);
Datum
capforecast_seal_secret(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	tuple;
	TupleDesc	desc;
	int			column;
	char	   *typed;
	Datum		value;
	bool		is_null = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_seal_secret must be called as a trigger")));
	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	desc = RelationGetDescr(trigger->tg_relation);
	column = SPI_fnumber(desc, "secret");
	typed = SPI_getvalue(tuple, desc, column);
	if (typed == NULL)
		return PointerGetDatum(tuple);
	value = CStringGetTextDatum(seal(secret_as_meant(typed)));
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, 1, &column, &value, &is_null));
}

/*
 * Trigger only_owner, before each statement on _secret: no grant, and no BYPASSRLS, lets
 * another role than the owner write; and makes the key.  Before any row is read, so that no
 * message shows one.
 */
PG_FUNCTION_INFO_V1(capforecast_only_owner);
Datum
capforecast_only_owner(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_only_owner must be called as a trigger")));
	if (!has_privs_of_role(GetUserId(), trigger->tg_relation->rd_rel->relowner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table \"%s\"", RelationGetRelationName(trigger->tg_relation)),
				 errhint("Secrets are stored by the owner of the extension.")));
	if (!key_is_made())
		make_key();
	return PointerGetDatum(NULL);
}

/*
 * capforecast._unseal(sealed text) → text
 *		A stored secret as it was given; NULL where it was sealed with another key.
 */
PG_FUNCTION_INFO_V1(capforecast_unseal);
Datum
capforecast_unseal(PG_FUNCTION_ARGS)
{
	char	   *sealed = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *hex = sealed + strlen(SEALED);
	size_t		total;
	size_t		length;
	uint8	   *bytes;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (strncmp(sealed, SEALED, strlen(SEALED)) != 0 ||
		strlen(hex) < 2 * (NONCE_LENGTH + TAG_LENGTH) || strlen(hex) % 2 != 0 ||
		strspn(hex, "0123456789abcdef") != strlen(hex))
		PG_RETURN_NULL();
	if (!key_is_made())
		PG_RETURN_NULL();
	total = strlen(hex) / 2;
	length = total - NONCE_LENGTH - TAG_LENGTH;
	bytes = palloc(total + 1);
	hex_decode(hex, strlen(hex), (char *) bytes);
	bytes[total] = '\0';
	cross(bytes, bytes + NONCE_LENGTH + TAG_LENGTH, length);
	hash(bytes, bytes + NONCE_LENGTH + TAG_LENGTH, length, digest);
	if (memcmp(digest, bytes + NONCE_LENGTH, TAG_LENGTH) != 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text((char *) bytes + NONCE_LENGTH + TAG_LENGTH));
}
