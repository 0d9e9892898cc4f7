# The kill harness. Its programs are built by `make check` and run by tests/crash/run, which
# scripts/test calls; `make sweep` takes every point of every run.
check_PROGRAMS += tests/crash/selftest tests/crash/sweep

crash_engine = \
	tests/crash/actors.c \
	tests/crash/actors.h \
	tests/crash/arch.c \
	tests/crash/arch.h \
	tests/crash/killer.c \
	tests/crash/killer.h \
	tests/crash/points.c \
	tests/crash/points.h \
	tests/crash/scenario.h \
	tests/crash/stage.c \
	tests/crash/stage.h \
	tests/crash/stepper.c \
	tests/crash/stepper.h \
	tests/crash/verdict.c \
	tests/crash/verdict.h \
	tests/crash/victim.c \
	tests/crash/victim.h \
	$(end)

tests_crash_selftest_SOURCES = $(crash_engine) \
	tests/crash/selftest.c \
	tests/crash/toy.c \
	tests/crash/toy.h \
	$(end)
tests_crash_selftest_LDADD =

tests_crash_sweep_SOURCES = $(crash_engine) \
	tests/crash/kinds.c \
	tests/crash/lab.c \
	tests/crash/lab.h \
	tests/crash/lab_admits.c \
	tests/crash/lab_empty.c \
	tests/crash/lab_manager.c \
	tests/crash/lab_manager.h \
	tests/crash/lab_serve.c \
	tests/crash/scenarios.h \
	tests/crash/scenarios_barrier.c \
	tests/crash/scenarios_break.c \
	tests/crash/scenarios_create.c \
	tests/crash/scenarios_event.c \
	tests/crash/scenarios_growth.c \
	tests/crash/scenarios_handler.c \
	tests/crash/scenarios_life.c \
	tests/crash/scenarios_many.c \
	tests/crash/scenarios_mutex.c \
	tests/crash/scenarios_names.c \
	tests/crash/scenarios_process.c \
	tests/crash/scenarios_recovery.c \
	tests/crash/scenarios_semaphore.c \
	tests/crash/sweep.c \
	$(end)
tests_crash_sweep_LDADD = libmanagerdcore.la libsynccore.la $(INIH_LIBS)

EXTRA_DIST += \
	tests/crash/README.md \
	tests/crash/run \
	$(end)

PHONY += check-crash sweep
check-crash: tests/crash/selftest tests/crash/sweep managerd/managerd
	BUILD_DIR='$(abs_top_builddir)' $(srcdir)/tests/crash/run
sweep: tests/crash/selftest tests/crash/sweep managerd/managerd
	BUILD_DIR='$(abs_top_builddir)' $(srcdir)/tests/crash/run --all
