# Two commands do everything on a fresh machine: `make demo` and `make test`.
#
#   make          the shared and the static library, optimised (target/release)
#   make demo     a C program on the embedded engine and over HTTP, with the same answers
#   make test     everything is tested, in about ten minutes; CHATBLOCK_TEST=full goes deeper
#   make check    what has to hold before a change lands: lint and test
#   make docs     pages of the headers and the guide (target/docs/html/index.html); needs doxygen
#   make header   writes include/chatblock.h anew from src/ffi
#   make bench    measures against typical C++ code, writes benches/RESULTS.md
#   make install  DESTDIR= PREFIX=/usr/local LIBDIR=$(PREFIX)/lib; make uninstall takes the same away
#   make deb      Debian packages of the library, what is needed to build with it, and the program (target/deb)

CARGO ?= cargo
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=
TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
VERSION := $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
# Before 1.0 the minor plays the major (ABI.md).
SOVERSION := $(shell echo $(VERSION) | sed 's/^\(0\.[0-9]*\|[1-9][0-9]*\)\..*/\1/')
SONAME := libchatblock.so.$(SOVERSION)

.PHONY: all cli demo test lint check header docs bench clean

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

docs:
	mkdir -p $(TARGET)/docs
	(cat docs/Doxyfile; echo OUTPUT_DIRECTORY=$(TARGET)/docs) | doxygen -

bench: cli
	benches/run --picture --library-dir $(RELEASE)

include packaging/install.mk

clean:
	$(CARGO) clean
