-- Where the host's tables are spread so that what jobs do with them cannot be done.

CREATE FUNCTION capforecast._host_lockable()
	RETURNS void LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_lockable';
COMMENT ON FUNCTION capforecast._host_lockable() IS
	'Error 0A000 distributed_subscriptions where Citus distributes the table of subscriptions: it does not lock several rows at a time.';
