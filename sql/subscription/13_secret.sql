-- Secrets of Stripe's webhook endpoints are sealed as they are stored: what leaves the table
-- on ways that ask nobody (a publication of all tables or of the schema, a copy of the rows)
-- is of no use without the key, which is in two sequences that no publication carries, no
-- dump holds, and a grant on all tables does not give.

-- The key is made when the first secret is stored.  A step as long as the range: nextval()
-- has nowhere to go from there, so that nobody changes it.
CREATE SEQUENCE capforecast._secret_key_a_seq INCREMENT BY 9223372036854775807;
COMMENT ON SEQUENCE capforecast._secret_key_a_seq IS 'Half of the key that seals _secret. Never dumped: where it is lost, the secrets are stored anew.';
CREATE SEQUENCE capforecast._secret_key_b_seq INCREMENT BY 9223372036854775807;
COMMENT ON SEQUENCE capforecast._secret_key_b_seq IS 'The other half.';

CREATE FUNCTION capforecast._unseal(sealed text)
	RETURNS text LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_unseal';
COMMENT ON FUNCTION capforecast._unseal(text) IS 'A stored secret as it was given; NULL where it was sealed with another key.';

CREATE FUNCTION capforecast._seal_secret()
	RETURNS trigger LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_seal_secret';
COMMENT ON FUNCTION capforecast._seal_secret() IS 'Trigger: a secret is stored sealed.';

CREATE TRIGGER seal BEFORE INSERT OR UPDATE OF secret ON capforecast._secret
	FOR EACH ROW EXECUTE FUNCTION capforecast._seal_secret();

CREATE FUNCTION capforecast._only_owner()
	RETURNS trigger LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_only_owner';
COMMENT ON FUNCTION capforecast._only_owner() IS 'Trigger: no grant, and no BYPASSRLS, lets another role than the owner write.';

CREATE TRIGGER only_owner BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON capforecast._secret
	FOR EACH STATEMENT EXECUTE FUNCTION capforecast._only_owner();

-- Without a key of its own, a published table's rows could not be deleted.
ALTER TABLE capforecast._secret REPLICA IDENTITY FULL;
