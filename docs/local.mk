# Man pages are written in scdoc and made in the source tree, as configure is: a tarball has them, so
# only a clone needs scdoc.
man_pages = \
	docs/man/libsync.7 \
	docs/man/managerctl.1 \
	docs/man/managerd.8 \
	docs/man/managerd.conf.5 \
	docs/man/sync_barrier.3 \
	docs/man/sync_error.3 \
	docs/man/sync_event.3 \
	docs/man/sync_manager.3 \
	docs/man/sync_mutex.3 \
	docs/man/sync_object.3 \
	docs/man/sync_semaphore.3 \
	docs/man/sync_time.3 \
	$(end)
dist_man_MANS += $(man_pages)
man_page = $(AM_V_GEN)command -v scdoc >/dev/null || { \
		echo "scdoc makes the man pages: install it (Debian: apt-get install scdoc)" >&2; exit 1; }; \
	page=$(srcdir)/$@ && \
	SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(date -r $$page.scd +%s)}" scdoc <$$page.scd >$$page.tmp && \
	$(AWK) -f $(srcdir)/docs/man/mend.awk $$page.tmp >$$page.new && \
	rm -f $$page.tmp && mv -f $$page.new $$page
docs/man/libsync.7: docs/man/libsync.7.scd docs/man/mend.awk
	$(man_page)
docs/man/managerctl.1: docs/man/managerctl.1.scd docs/man/mend.awk
	$(man_page)
docs/man/managerd.8: docs/man/managerd.8.scd docs/man/mend.awk
	$(man_page)
docs/man/managerd.conf.5: docs/man/managerd.conf.5.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_barrier.3: docs/man/sync_barrier.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_error.3: docs/man/sync_error.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_event.3: docs/man/sync_event.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_manager.3: docs/man/sync_manager.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_mutex.3: docs/man/sync_mutex.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_object.3: docs/man/sync_object.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_semaphore.3: docs/man/sync_semaphore.3.scd docs/man/mend.awk
	$(man_page)
docs/man/sync_time.3: docs/man/sync_time.3.scd docs/man/mend.awk
	$(man_page)
MAINTAINERCLEANFILES = $(man_pages)

# man sync_mutex_acquire: a link for each name that a page's NAME section lists.
man_links = sed -n '/^\.SH NAME/,/^\.SH SYNOPSIS/p' $(srcdir)/docs/man/$$noun.3 | \
	grep -Eo '\b(sync|SYNC)_[A-Za-z0-9_]+' | sort -u | grep -vxF $$noun
man_nouns = sync_barrier sync_error sync_event sync_manager sync_mutex sync_object sync_semaphore sync_time
install-data-hook:
	$(AM_V_at)for noun in $(man_nouns); do $(man_links) | while read -r name; do \
		$(LN_S) -f $$noun.3 "$(DESTDIR)$(man3dir)/$$name.3" || exit 1; done || exit 1; done
uninstall-hook:
	$(AM_V_at)for noun in $(man_nouns); do $(man_links) | while read -r name; do \
		rm -f "$(DESTDIR)$(man3dir)/$$name.3"; done; done

dist_doc_DATA = \
	README.md \
	docs/architecture.md \
	docs/memory-words.md \
	docs/memory.md \
	docs/semantics.md \
	$(end)
EXTRA_DIST += \
	$(man_pages:=.scd) \
	docs/README.md \
	docs/proof.md \
	docs/decisions/README.md \
	docs/decisions/0001-own-words.md \
	docs/decisions/0002-life-word.md \
	docs/decisions/0003-dead-owner-beside-r.md \
	docs/decisions/0004-reservation.md \
	docs/decisions/0005-guard-claims.md \
	docs/decisions/0006-growth-without-a-lock.md \
	docs/decisions/0007-barrier-one-word.md \
	docs/decisions/0008-leaver-wakes-one.md \
	docs/decisions/0009-depth-names-its-owner.md \
	docs/decisions/0010-break-makes-a-new-incarnation.md \
	docs/decisions/0011-singleton.md \
	docs/decisions/0012-segment-stays.md \
	docs/decisions/0013-no-cancellation-points.md \
	docs/decisions/0014-autostart.md \
	docs/decisions/0015-reaper-is-a-principal.md \
	docs/decisions/0016-slots-are-freed-last.md \
	docs/decisions/0017-acquire-many.md \
	docs/decisions/0018-w-goes-with-the-release.md \
	docs/decisions/0019-worlds.md \
	docs/decisions/0020-byte-locks-unmapped.md \
	docs/decisions/0021-heir-and-the-running-manager.md \
	docs/decisions/0022-yield-to-a-crowd.md \
	docs/decisions/what-remains-open.md \
	docs/man/.gitignore \
	docs/man/README.md \
	docs/man/mend.awk \
	$(end)

# Each folder opens with a few lines: what lives here, what may not.
EXTRA_DIST += \
	include/sync/README.md \
	libsync/README.md \
	libsync/api/README.md \
	libsync/base/README.md \
	libsync/direct/README.md \
	libsync/objects/README.md \
	libsync/os/README.md \
	libsync/process/README.md \
	libsync/remote/README.md \
	libsync/shm/README.md \
	libsync/transport/README.md \
	libsync/wire/README.md \
	managerd/README.md \
	managerd/gateway/README.md \
	$(end)
