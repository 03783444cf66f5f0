# What `make install` puts where, and how it goes away again. Part of the Makefile.

# What a static library of Rust needs beside it, as rustc says, but for -lgcc_s: the compiler adds the
# unwinder itself, and takes the right one also with -static.
NATIVE_LIBS := -lutil -lrt -lpthread -lm -ldl -lc

HEADERS := $(wildcard include/chatblock.h include/chatblock.hpp)
CMAKEDIR := $(LIBDIR)/cmake/chatblock
MANDIR := $(PREFIX)/share/man
MANUALS := man1/chatblock.1 man3/chatblock.3 man5/chatblock-config.5 man7/chatblock-stats.7
# What headers, manual pages, --help and messages name, by the same paths (tests/links.rs).
DOCDIR := $(PREFIX)/share/doc/chatblock
DOCUMENTS := README.md ABI.md $(sort $(wildcard docs/*.md)) LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt

INSTALLED := \
	$(PREFIX)/bin/chatblock \
	$(HEADERS:include/%=$(PREFIX)/include/%) \
	$(LIBDIR)/libchatblock.a \
	$(LIBDIR)/libchatblock.so.$(VERSION) \
	$(LIBDIR)/$(SONAME) \
	$(LIBDIR)/libchatblock.so \
	$(LIBDIR)/pkgconfig/chatblock.pc \
	$(CMAKEDIR)/chatblockConfig.cmake \
	$(CMAKEDIR)/chatblockConfigVersion.cmake \
	$(MANUALS:%=$(MANDIR)/%) \
	$(DOCUMENTS:%=$(DOCDIR)/%)

# $(call fill,template,directory) installs the template with its marks replaced. The way to the prefix
# is relative, so that an installed tree may be moved.
define fill
	install -m 644 packaging/$(1).in $(DESTDIR)$(2)/$(1)
	sed -i -e 's|@VERSION@|$(VERSION)|' -e 's|@SOVERSION@|$(SOVERSION)|' -e 's|@NATIVE_LIBS@|$(NATIVE_LIBS)|' \
		-e 's|@PREFIX@|$(shell realpath -m --relative-to=$(2) $(PREFIX))|' $(DESTDIR)$(2)/$(1)
endef

.PHONY: install install-files install-documents uninstall deb

install: cli
	$(MAKE) install-files

# For whoever has built already: target/release as it is.
install-files: install-documents
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	install -m 755 -s $(RELEASE)/chatblock $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include/
	install -m 755 -s $(RELEASE)/libchatblock.so $(DESTDIR)$(LIBDIR)/libchatblock.so.$(VERSION)
	ln -sf libchatblock.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libchatblock.so
	packaging/seal-archive abi/chatblock.symbols $(RELEASE)/libchatblock.a $(DESTDIR)$(LIBDIR)/libchatblock.a
	$(call fill,chatblock.pc,$(LIBDIR)/pkgconfig)
	$(call fill,chatblockConfig.cmake,$(CMAKEDIR))
	$(call fill,chatblockConfigVersion.cmake,$(CMAKEDIR))
	for page in $(MANUALS); do install -m 644 packaging/man/$${page#*/} $(DESTDIR)$(MANDIR)/$$page || exit 1; done

# Documents alone: nothing has to be built for them.
install-documents:
	install -d $(addprefix $(DESTDIR)$(DOCDIR)/,$(sort $(dir $(DOCUMENTS))))
	for document in $(DOCUMENTS); do install -m 644 $$document $(DESTDIR)$(DOCDIR)/$$document || exit 1; done

# Takes away only what install has put there; a directory that others use stays.
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	[ ! -d $(DESTDIR)$(CMAKEDIR) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(CMAKEDIR)
	[ ! -d $(DESTDIR)$(DOCDIR)/docs ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(DOCDIR)/docs $(DESTDIR)$(DOCDIR)

deb: cli
	packaging/build-deb $(TARGET) $(TARGET)/deb
