# hanzo_datastore: builds with PGXS; PG_CONFIG chooses the server.
#
#   make, make install     the extension, and load/hanzo-datastore-load
#   make unit, fuzz        the pure-C layers under sanitizers (build/unit, build/fuzz)
#   make bench             bench/generate
#   make dist, deb         build/hanzo_datastore-*.zip for PGXN; a Debian package (scripts/deb.sh)
#   make lint, format      the house rules (scripts/lint.sh); clang-format in place
#   scripts/test.sh        everything

EXTENSION = hanzo_datastore
EXTVERSION = 1.0
DISTVERSION = 1.0.0
MODULE_big = hanzo_columnar
PGFILEDESC = "hanzo_datastore - columnar tables"

OBJS := hanzo_columnar.o $(patsubst %.c,%.o,$(sort $(wildcard src/*/*.c)))
SQL_PARTS := $(sort $(wildcard src/sql/*.sql))

DATA := $(wildcard $(EXTENSION)--*--*.sql)
DATA_built := $(EXTENSION)--$(EXTVERSION).sql

# `make installcheck` against a running server. setup, where it exists, runs first.
TESTS := $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS := $(filter setup,$(TESTS)) $(filter-out setup,$(TESTS))
REGRESS_OPTS = --inputdir=$(srcdir) --encoding=UTF8
ISOLATION := $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(srcdir)
ifneq (,$(wildcard t/*.pl))
TAP_TESTS = 1
endif

# -Wno-unused-parameter: callbacks have fixed signatures, and ilist.h, bufpage.h leave some unused.
# -Wno-sign-compare: the server's macros mix int, Size and OffsetNumber.
# -Wno-missing-field-initializers: the server's structs gain members from version to version.
# WERROR= (empty) lets a compiler newer than ours build with warnings.
WERROR = -Werror
WARNINGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(WERROR)

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = $(WARNINGS) -MMD -MP
SHLIB_LINK = -lzstd -llz4 -lm

EXTRA_CLEAN = build bench/generate load/hanzo-datastore-load $(OBJS:.o=.d) hanzo_columnar.d

# No bitcode: the server's JIT would inline nothing of ours, and clang need not be there.
override with_llvm := no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

-include $(OBJS:.o=.d)

# Decoding kernels: GCC 12 vectorises fully at -O3 only.
src/encoding/%.o: override CFLAGS += -O3
src/expr/vexpr%.o: override CFLAGS += -O3
src/agg/%.o: override CFLAGS += -O3

# Objects of one server must not end up in another's library: rebuild when the server or a flag changes.
BUILD_ID := $(shell $(PG_CONFIG) --version --bindir) $(CC) $(CPPFLAGS) $(CFLAGS)
$(shell mkdir -p build; echo '$(subst ','\'',$(BUILD_ID))' | cmp -s - build/flags || \
	echo '$(subst ','\'',$(BUILD_ID))' > build/flags)
$(OBJS): build/flags

# The install script is its parts, in the order of their numbers. src/sql: so that a part taken away counts.
$(DATA_built): $(SQL_PARTS) $(wildcard src/sql) Makefile
	{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; \
	  for part in $(SQL_PARTS); do printf '\n-- %s\n\n' $$part; cat $$part; done; } > $@

# ---- hanzo-datastore-load: a client, which needs libpq, zlib and libzstd and nothing of the server.

LOAD_OBJS := $(patsubst %.c,build/%.o,$(sort $(wildcard load/*.c)) src/base/memory.c)
LOAD_CFLAGS = -std=gnu11 -O2 -g $(WARNINGS) -MMD -MP -DFRONTEND -DHZ_LOAD_VERSION='"$(EXTVERSION)"' -Isrc -I. -I$(includedir)

all: load/hanzo-datastore-load

load/hanzo-datastore-load: $(LOAD_OBJS)
	$(CC) -o $@ $^ $(LDFLAGS) -L$(libdir) -lpq -lzstd -lz

$(LOAD_OBJS): build/%.o: %.c Makefile build/flags
	@mkdir -p $(@D)
	$(CC) $(LOAD_CFLAGS) -c -o $@ $<

-include $(LOAD_OBJS:.o=.d)

.PHONY: install-load uninstall-load

install: install-load
install-load: load/hanzo-datastore-load
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(INSTALL_PROGRAM) $< '$(DESTDIR)$(bindir)/'

uninstall: uninstall-load
uninstall-load:
	rm -f '$(DESTDIR)$(bindir)/hanzo-datastore-load'

# ---- Pure C: built without the server's headers, under sanitizers.

PURE := $(filter-out src/base/compat.c,$(sort $(wildcard $(patsubst %,src/%/*.c,base encoding compress format agg) \
	src/expr/vexpr*.c)))
# What the loader knows of formats; the rest of load/ knows libpq.
LOAD_PURE := $(patsubst %,load/%.c,copytext delimited json literal record split value)
PURE_CFLAGS = -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -MMD -MP \
	-DFRONTEND -Isrc -I. $(WARNINGS)
PURE_LIBS = -lzstd -llz4 -lm
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all

UNIT_TESTS := $(patsubst %.c,build/%,$(sort $(wildcard unit/test_*.c)))
UNIT_OBJS := $(patsubst %.c,build/unit/obj/%.o,$(PURE) $(LOAD_PURE) $(filter-out unit/test_%,$(wildcard unit/*.c)))
FUZZERS := $(patsubst %.c,build/%,$(sort $(wildcard fuzz/fuzz_*.c)))
FUZZ_OBJS := $(patsubst %.c,build/fuzz/obj/%.o,$(PURE) $(LOAD_PURE) $(filter-out fuzz/fuzz_%,$(wildcard fuzz/*.c)))
FUZZ_CC = clang

.PHONY: unit unit-programs fuzz bench lint format
.SECONDARY:

unit-programs: $(UNIT_TESTS)

# From the top of the tree, so that tests find their golden files.
unit: unit-programs
	@failed=0; for test in $(UNIT_TESTS); do \
	  echo "== $$test"; $$test || { echo "FAILED: $$test"; failed=1; }; \
	done; exit $$failed

build/unit/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) $(SANITIZE) -c -o $@ $<

build/unit/%: build/unit/obj/unit/%.o $(UNIT_OBJS)
	$(CC) $(SANITIZE) -o $@ $^ $(PURE_LIBS)

fuzz: $(FUZZERS)

build/fuzz/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(PURE_CFLAGS) $(SANITIZE) -DHZ_FUZZING -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/%: build/fuzz/obj/fuzz/%.o $(FUZZ_OBJS)
	$(FUZZ_CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(PURE_LIBS)

-include $(UNIT_OBJS:.o=.d) $(FUZZ_OBJS:.o=.d)
-include $(patsubst build/unit/%,build/unit/obj/unit/%.d,$(UNIT_TESTS))
-include $(patsubst build/fuzz/%,build/fuzz/obj/fuzz/%.d,$(FUZZERS))

# ---- Tools

GENERATE := $(sort $(wildcard bench/generate*.c))

bench: $(if $(GENERATE),bench/generate)

bench/generate: $(GENERATE) $(wildcard bench/*.h) Makefile
	$(CC) -std=gnu11 -O2 -g $(WARNINGS) -I. -o $@ $(GENERATE) -lm

# A PGXN distribution of the last commit, and a Debian package.
.PHONY: dist deb
dist:
	mkdir -p build
	git archive --format=zip --prefix=$(EXTENSION)-$(DISTVERSION)/ -o build/$(EXTENSION)-$(DISTVERSION).zip HEAD
	@echo build/$(EXTENSION)-$(DISTVERSION).zip

deb:
	@bash scripts/deb.sh

lint:
	@bash scripts/lint.sh

C_FILES := $(wildcard hanzo_columnar.c src/*/*.[ch] unit/*.[ch] load/*.[ch] fuzz/*.[ch] bench/*.[ch])

format:
	$(if $(C_FILES),clang-format -i $(C_FILES))
