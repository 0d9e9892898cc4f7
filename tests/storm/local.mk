# The storm. Its programs are built by `make check` and run by tests/storm/run, which scripts/test calls.
check_PROGRAMS += tests/storm/check tests/storm/storm

tests_storm_storm_SOURCES = \
	tests/storm/act_mutex.c \
	tests/storm/act_rest.c \
	tests/storm/breaker.c \
	tests/storm/final.c \
	tests/storm/manager.c \
	tests/storm/plan.c \
	tests/storm/plan.h \
	tests/storm/record.c \
	tests/storm/record.h \
	tests/storm/storm.c \
	tests/storm/storm.h \
	tests/storm/watch.c \
	tests/storm/worker.c \
	tests/storm/worker.h \
	$(end)
tests_storm_storm_LDADD = libsynccore.la

# Nothing of the library: it judges what was recorded.
tests_storm_check_SOURCES = \
	tests/storm/check.c \
	tests/storm/check.h \
	tests/storm/check_barrier.c \
	tests/storm/check_calls.c \
	tests/storm/check_event.c \
	tests/storm/check_mutex.c \
	tests/storm/check_mutex.h \
	tests/storm/check_semaphore.c \
	tests/storm/doctor.c \
	tests/storm/holds.c \
	tests/storm/idle.c \
	tests/storm/load.c \
	tests/storm/plan.c \
	tests/storm/record.c \
	$(end)
tests_storm_check_LDADD =

EXTRA_DIST += \
	tests/storm/README.md \
	tests/storm/run \
	$(end)

PHONY += check-storm
check-storm: tests/storm/storm tests/storm/check managerd/managerd
	BUILD_DIR='$(abs_top_builddir)' $(srcdir)/tests/storm/run
