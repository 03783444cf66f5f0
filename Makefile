# Two commands do everything on a fresh machine: `make demo` and `make test`.
#
#   make          the shared and the static library, optimised (target/release)
#   make demo     a C program on the embedded engine and over HTTP, with the same answers
#   make test     everything is tested, in about ten minutes after a build on two cores; says at its end what it
#                 skipped because a tool is not installed
#                 CHATBLOCK_TEST=full  CI: nothing is skipped, a missing tool is a failure; at most 52 minutes
#                 CHATBLOCK_TEST=deep  by hand: counts that do not fit into CI; hours
#   make check    what has to hold before a change lands: lint and test
#   make docs     pages of the headers and the guide (target/docs/html/index.html); needs doxygen
#   make notices  writes THIRD-PARTY-NOTICES.txt anew from Cargo.lock; needs cargo-about
#   make man      writes the man pages of configuration and statistics anew from docs/
#   make header   writes include/chatblock.h anew from src/ffi
#   make bench    measures against typical C++ code, writes benches/RESULTS.md
#   make fuzz     random inputs on what others send, a minute for each kind (fuzz/README.md)
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

.PHONY: all cli rust demo depth test lint deny prose notices check header man docs bench fuzz clean

all: rust
	packaging/remap $(CARGO) build --release --locked --package chatblock
	ln -sf libchatblock.so $(RELEASE)/$(SONAME)

cli: rust
	packaging/remap $(CARGO) build --release --locked
	ln -sf libchatblock.so $(RELEASE)/$(SONAME)

rust:
	@packaging/check-rust $(CARGO)

demo: cli
	examples_c/demo.sh $(RELEASE)

# A depth that is not known is an error before anything is built (testkit/src/depth.rs).
depth:
	@case "$${CHATBLOCK_TEST:-quick}" in quick|full|deep) ;; \
	*) echo "CHATBLOCK_TEST is \"$$CHATBLOCK_TEST\"; set it to quick, full or deep" >&2; exit 1;; esac

# The lines that the test programs report follow each other at the end, also after a failure, and below
# them in one line what was skipped: each tool once, with the test programs that need it.
test: rust depth
	rm -rf $(TARGET)/report
	@$(CARGO) test --workspace --locked --no-fail-fast; status=$$?; \
	echo; cd $(TARGET)/report && find . -type f ! -name skipped | sort | xargs -r cat; \
	[ ! -e skipped ] || { echo; sort -u skipped | awk -f $(CURDIR)/packaging/skipped.awk; }; exit $$status

lint: rust deny prose
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --lib --tests --features chatblock/model -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --locked --no-deps --lib

# Words that docs/prose-words.txt rules out.
prose:
	@packaging/check-prose

# Licences, bans and duplicate versions of the crates (deny.toml). Not every machine has the program; CI must.
deny: rust
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
		echo $(CARGO) deny check licenses bans; $(CARGO) deny --locked check -D warnings licenses bans; \
	elif [ -n "$$CI" ]; then echo "cargo-deny is not installed" >&2; exit 1; \
	else echo "skipped: deny.toml, since cargo-deny is not installed (cargo install --locked cargo-deny)"; fi

# Licences of the crates that are linked into the program, and so into the library. Needs cargo-about; tests/publishing.rs
# says when the file is out of date.
notices: rust
	$(CARGO) about generate --frozen --fail --manifest-path cli/Cargo.toml --all-features -c packaging/notices/about.toml \
		packaging/notices/notices.hbs -o THIRD-PARTY-NOTICES.txt

check: lint test

header: rust
	-env -u CI $(CARGO) test --locked --test header
	$(CARGO) test --locked --test header

man: rust
	CHATBLOCK_WRITE_MAN=1 $(CARGO) test --locked --test man_pages

docs:
	mkdir -p $(TARGET)/docs
	(cat docs/Doxyfile; echo OUTPUT_DIRECTORY=$(TARGET)/docs) | doxygen -

fuzz: rust
	fuzz/run

bench: cli
	benches/run --picture --library-dir $(RELEASE)

include packaging/install.mk

clean:
	$(CARGO) clean
