# Two commands do everything on a fresh machine: `make demo` and `make test`.
#
#   make          the shared and the static library, optimised (target/release)
#   make demo     a C program on the embedded engine and over HTTP, with the same answers
#   make test     everything is tested, in at most ten minutes; CHATBLOCK_TEST=full goes deeper
#   make check    what has to hold before a change lands: lint and test
#   make header   writes include/chatblock.h anew from src/ffi
#   make bench    measures against typical C++ code, writes benches/RESULTS.md
#   make install  DESTDIR= PREFIX=/usr/local

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
SONAME := libchatblock.so.$(shell sed -n 's/^version = "\(0\.[0-9]*\)\..*/\1/p' Cargo.toml)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

.PHONY: all cli demo test lint check header bench install clean

all:
	$(CARGO) build --release --locked
	ln -sf libchatblock.so $(RELEASE)/$(SONAME)

cli:
	$(CARGO) build --release --locked --features cli
	ln -sf libchatblock.so $(RELEASE)/$(SONAME)

demo: cli
	examples_c/demo.sh $(RELEASE)

# The lines that the test programs report stand together at the end.
test:
	rm -rf $(TARGET)/report
	$(CARGO) test --locked --features cli --no-fail-fast
	@echo; cat $(TARGET)/report/*

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features cli -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --lib --features cli

check: lint test

header:
	-env -u CI $(CARGO) test --locked --test header
	$(CARGO) test --locked --test header

bench: cli
	benches/run --library-dir $(RELEASE)

install: cli
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin
	install -m 755 -s $(RELEASE)/libchatblock.so $(DESTDIR)$(PREFIX)/lib/libchatblock.so.$(VERSION)
	ln -sf libchatblock.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libchatblock.so
	install -m 644 $(RELEASE)/libchatblock.a $(DESTDIR)$(PREFIX)/lib/
	strip --strip-debug $(DESTDIR)$(PREFIX)/lib/libchatblock.a
	install -m 644 include/chatblock.h $(DESTDIR)$(PREFIX)/include/
	install -m 755 -s $(RELEASE)/chatblock $(DESTDIR)$(PREFIX)/bin/

clean:
	$(CARGO) clean
