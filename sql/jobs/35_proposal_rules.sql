-- What applications like those seen in the wild call their tables and words: what
-- proposals of bindings and doctor() go by, beside the names in _host_names().

-- Tables that a framework or a service makes, by the preset that names it, the likeliest first.
CREATE FUNCTION capforecast._preset_tables()
	RETURNS TABLE (preset text, entity text, schema_name text, name text)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	VALUES
		('rails', 'vendors', NULL, 'spree_vendors'), ('rails', 'vendors', NULL, 'solidus_vendors'),
		('rails', 'vendor_subscriptions', NULL, 'subscriptions'), ('rails', 'vendor_subscriptions', NULL, 'pay_subscriptions'),
		('pay', 'vendor_subscriptions', NULL, 'pay_subscriptions'), ('pay', 'vendors', NULL, 'accounts'), ('pay', 'vendors', NULL, 'teams'),
		('pay', 'vendors', NULL, 'users'),
		('laravel', 'vendors', NULL, 'teams'), ('laravel', 'vendors', NULL, 'users'), ('laravel', 'vendor_users', NULL, 'team_user'),
		('cashier', 'vendors', NULL, 'teams'), ('cashier', 'vendors', NULL, 'users'), ('cashier', 'vendor_subscriptions', NULL, 'subscriptions'),
		('cashier', 'vendor_users', NULL, 'team_user'),
		('teams', 'vendors', NULL, 'teams'), ('teams', 'vendor_users', NULL, 'team_user'), ('teams', 'vendor_users', NULL, 'team_members'),
		('organizations', 'vendors', NULL, 'organizations'), ('organizations', 'vendors', NULL, 'organizations_organization'),
		('django', 'vendors', NULL, 'organizations_organization'), ('django', 'vendor_users', NULL, 'organizations_organizationuser'),
		('djstripe', 'vendors', NULL, 'organizations_organization'), ('djstripe', 'vendor_subscriptions', NULL, 'djstripe_subscription'),
		('djstripe', 'subscription_tiers', NULL, 'djstripe_plan'), ('djstripe', 'subscription_tiers', NULL, 'djstripe_price'),
		('saleor', 'vendors', NULL, 'vendor_vendor'), ('saleor', 'vendors', NULL, 'channel_channel'),
		('saleor', 'products', NULL, 'product_product'), ('saleor', 'products', NULL, 'product_productchannellisting'),
		('saleor', 'orders', NULL, 'order_order'),
		('stripe', 'vendor_subscriptions', 'stripe', 'subscriptions'), ('stripe', 'subscription_tiers', 'stripe', 'prices'),
		('stripe', 'subscription_tiers', 'stripe', 'plans');
END;
COMMENT ON FUNCTION capforecast._preset_tables() IS 'Tables by preset, entity and order of preference; schema NULL: any.';

-- How services and frameworks call what we know by another word; ours NULL: not to be counted.
CREATE FUNCTION capforecast._status_words()
	RETURNS TABLE (theirs text, ours text, is_stripe boolean)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	VALUES
		('trialing', 'trial', true), ('canceled', 'cancelled', true), ('unpaid', 'past_due', true), ('incomplete', NULL, true),
		('incomplete_expired', 'expired', true), ('paused', NULL, true),
		('on_trial', 'trial', false), ('trialling', 'trial', false), ('overdue', 'past_due', false), ('past-due', 'past_due', false),
		('ended', 'expired', false), ('pending', NULL, false), ('draft', NULL, false);
END;
COMMENT ON FUNCTION capforecast._status_words() IS 'Status words of subscriptions seen elsewhere, and which of them are Stripe''s.';

-- A table by another table: where no foreign key says so. A join of the relation (its column) to the
-- other one (its key), which has the vendor's key.
CREATE FUNCTION capforecast._known_joins()
	RETURNS TABLE (name text, column_name text, other_name text, other_key text, vendor_key text)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	VALUES ('pay_subscriptions', 'customer_id', 'pay_customers', 'id', 'owner_id');
END;
COMMENT ON FUNCTION capforecast._known_joins() IS 'How tables that hold no key of a vendor lead to it.';

-- Which rows are not there. word: only where the column of words has it.
CREATE FUNCTION capforecast._filter_rules()
	RETURNS TABLE (entity text, name text, condition text, words_in text, word text, why text)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	VALUES
		(NULL, 'deleted_at', '%s IS NULL', NULL, NULL, 'rows with %s are left out'),
		(NULL, 'discarded_at', '%s IS NULL', NULL, NULL, 'rows with %s are left out'),
		(NULL, 'is_deleted', '%s IS NOT TRUE', NULL, NULL, 'rows with %s are left out'),
		(NULL, 'deleted', '%s IS NOT TRUE', NULL, NULL, 'rows with %s are left out'),
		(NULL, 'livemode', '%s IS NOT FALSE', NULL, NULL, 'rows of Stripe''s test mode are left out (%s)'),
		('orders', 'completed_at', '%s IS NOT NULL', 'state', 'cart', 'carts, without %s, are left out');
END;
COMMENT ON FUNCTION capforecast._filter_rules() IS 'Columns that say that a row does not count.';

-- What tells whether a row is active; word as above.
CREATE FUNCTION capforecast._active_rules()
	RETURNS TABLE (name text, category "char", expression text, word text)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	VALUES
		('archived', 'B'::"char", '%s IS NOT TRUE', NULL), ('is_archived', 'B', '%s IS NOT TRUE', NULL), ('disabled', 'B', '%s IS NOT TRUE', NULL),
		('is_disabled', 'B', '%s IS NOT TRUE', NULL), ('suspended', 'B', '%s IS NOT TRUE', NULL), ('blocked', 'B', '%s IS NOT TRUE', NULL),
		('archived_at', 'D', '%s IS NULL', NULL), ('suspended_at', 'D', '%s IS NULL', NULL), ('disabled_at', 'D', '%s IS NULL', NULL),
		('deactivated_at', 'D', '%s IS NULL', NULL), ('blocked_at', 'D', '%s IS NULL', NULL),
		('state', 'S', '%s = ''active''', 'active'), ('status', 'S', '%s = ''active''', 'active'),
		('state', 'E', '%s = ''active''', 'active'), ('status', 'E', '%s = ''active''', 'active');
END;
COMMENT ON FUNCTION capforecast._active_rules() IS 'Expressions for is_active, by the column and the category of its type.';
