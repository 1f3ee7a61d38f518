# capforecast: build, install, try, test.
#
#   make                 the library and the install script
#   make install         into the server of PG_CONFIG
#   make demo            the main job on a throw-away server   (test/demo)
#   make test            every suite on throw-away servers     (test/run)
#   make unit            the C core alone, under the sanitizers (test/unit/run)
#   make dist            build/capforecast-VERSION.zip, the archive for PGXN, of what is committed

EXTENSION   = capforecast
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" capforecast.control)

# The rooms of the source in the order in which data flows through them.
ROOMS       = common run host capture series forecast subscription plan report jobs

# Pure C11, no server header: the core, and the rules of the platform.
PURE        = src/core src/core/numerics src/core/time src/core/models src/core/engine src/plan/rules

MODULE_big  = capforecast
OBJS        = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c $(PURE:%=%/*.c) $(ROOMS:%=src/%/*.c))))

INSTALL_SQL = sql/capforecast--$(EXTVERSION).sql
SQL_PIECES  = sql/header.sql $(foreach room,$(ROOMS),$(sort $(wildcard sql/$(room)/*.sql))) sql/privileges.sql
# From the version before: by room, what is written by hand and then the room's routines again.
OLD         = 0.1.0
UPGRADE_SQL = sql/capforecast--$(OLD)--$(EXTVERSION).sql
OLD_SQL     = sql/upgrade/capforecast--$(OLD).sql
DATA_built  = $(INSTALL_SQL) $(UPGRADE_SQL)
DATA        = $(OLD_SQL)

PG_CFLAGS   = -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
              -Wno-missing-field-initializers
PG_CPPFLAGS = -I$(srcdir)/src -DCAPFORECAST_VERSION='"$(EXTVERSION)"'
SHLIB_LINK  = -lm
EXTRA_CLEAN = $(INSTALL_SQL) $(UPGRADE_SQL) build results output_iso tmp_check

# The server's own flags are those of the compiler that it was built with.
ifneq (,$(findstring clang,$(CC)))
PG_CFLAGS  += -Wno-unknown-warning-option -Wno-ignored-optimization-argument \
              -Wno-ignored-attributes
endif

# SANITIZE=1 test/run: undefined behaviour in the library ends the server.
ifdef SANITIZE
PG_CFLAGS  += -fsanitize=undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SHLIB_LINK += -lubsan
endif

# COVERAGE=1 test/run: gcov's counts beside the objects.
ifdef COVERAGE
PG_CFLAGS  += --coverage
SHLIB_LINK += --coverage
endif

# On 15, libraries are loaded RTLD_GLOBAL and PGDLLEXPORT is empty: without a
# version script any helper of ours could be taken by another extension's.
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,--version-script=$(srcdir)/src/exports.map
endif

REGRESS     = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=capforecast
ISOLATION   = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation

PG_CONFIG  ?= pg_config
PGXS       := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The same bits on every machine: no fused multiply-add, no reordering of sums.
$(foreach room,$(PURE),$(patsubst %.c,%.o,$(wildcard $(room)/*.c))): CFLAGS += -O3 -ffp-contract=off

# A header changed: everything is compiled again (the tree is small).
$(OBJS): $(wildcard src/*.h src/*/*.h src/*/*/*.h) Makefile capforecast.control

$(INSTALL_SQL): $(SQL_PIECES) Makefile capforecast.control
	cat $(SQL_PIECES) > $@

$(UPGRADE_SQL): $(SQL_PIECES) $(OLD_SQL) $(wildcard sql/upgrade/*.sql sql/upgrade/$(OLD)/*.sql) sql/upgrade/replay.awk Makefile
	{ cat sql/upgrade/begin.sql && for room in $(ROOMS); do \
		if [ -f sql/upgrade/$(OLD)/$$room.sql ]; then cat sql/upgrade/$(OLD)/$$room.sql; fi && \
		if ls sql/$$room/*.sql >/dev/null 2>&1; then awk -f sql/upgrade/replay.awk $(OLD_SQL) sql/$$room/*.sql; fi && \
		if [ -f sql/upgrade/$(OLD)/$$room.after.sql ]; then cat sql/upgrade/$(OLD)/$$room.after.sql; fi || exit 1; done && \
	  awk -f sql/upgrade/replay.awk $(OLD_SQL) sql/privileges.sql && cat sql/upgrade/end.sql; } > $@

.PHONY: demo test unit dist
# META.json gets the version of the control file; the install script that it names is not in the repository.
dist: $(INSTALL_SQL)
	mkdir -p build
	sed 's/@VERSION@/$(EXTVERSION)/' META.json.in > build/META.json
	git archive --format=zip --output=build/$(EXTENSION)-$(EXTVERSION).zip \
		--prefix=$(EXTENSION)-$(EXTVERSION)/sql/ --add-file=$(INSTALL_SQL) \
		--prefix=$(EXTENSION)-$(EXTVERSION)/ --add-file=build/META.json HEAD
demo:
	test/demo
test:
	test/run
unit:
	test/unit/run
