# A unit test tests/FOLDER/test_X.c is one line here: automake derives the source from the name, and
# LDADD links it with the cores, hidden symbols included.
unit_tests = \
	tests/api/test_bad_input \
	tests/api/test_barrier \
	tests/api/test_event \
	tests/api/test_manager \
	tests/api/test_mutex \
	tests/api/test_mutex_many \
	tests/api/test_mutex_owners \
	tests/api/test_object \
	tests/api/test_semaphore \
	tests/api/test_time \
	tests/base/test_error \
	tests/base/test_text \
	tests/conformance/test_closefrom \
	tests/conformance/test_death \
	tests/conformance/test_death_barrier \
	tests/conformance/test_edges \
	tests/conformance/test_heir \
	tests/conformance/test_threads \
	tests/direct/test_fork \
	tests/direct/test_hello \
	tests/direct/test_opened \
	tests/direct/test_thread \
	tests/direct/test_wait \
	tests/managerd/test_config \
	tests/managerd/test_detach \
	tests/managerd/test_orphan \
	tests/managerd/test_singleton \
	tests/objects/test_barrier \
	tests/objects/test_break \
	tests/objects/test_deadlock \
	tests/objects/test_kinds \
	tests/objects/test_recovery \
	tests/objects/test_retire \
	tests/os/test_futex \
	tests/os/test_process \
	tests/places/test_limits \
	tests/places/test_namespaces \
	tests/shm/test_directory \
	tests/shm/test_growth \
	tests/shm/test_guard \
	tests/shm/test_liveness \
	tests/shm/test_ring \
	tests/shm/test_segment \
	tests/transport/test_address \
	$(end)

# Of those, what qemu-user can run: it lacks robust lists, futex_waitv and pages wiped at fork, and does
# not follow an exec of the daemon. The stage arm64 prints and counts the others as skipped.
qemu_tests = \
	tests/api/test_bad_input \
	tests/api/test_event \
	tests/api/test_mutex_many \
	tests/api/test_mutex_owners \
	tests/api/test_object \
	tests/api/test_semaphore \
	tests/api/test_time \
	tests/base/test_error \
	tests/base/test_text \
	tests/conformance/test_threads \
	tests/objects/test_barrier \
	tests/objects/test_break \
	tests/objects/test_deadlock \
	tests/objects/test_kinds \
	tests/shm/test_directory \
	tests/shm/test_growth \
	tests/shm/test_guard \
	tests/shm/test_ring \
	tests/shm/test_segment \
	tests/transport/test_address \
	$(end)

# Of those, the ones whose clients are threads of one process: what ThreadSanitizer can judge.
tsan_tests = \
	tests/conformance/test_threads \
	$(end)

LDADD = tests/libharness.a libmanagerdcore.la libsynccore.la $(INIH_LIBS) $(CMOCKA_LIBS)

if CMOCKA
check_LIBRARIES += tests/libharness.a
tests_libharness_a_SOURCES = tests/harness.c tests/harness.h tests/support.c tests/support.h
check_PROGRAMS += tests/run-tap tests/harness_sample $(unit_tests)
tests_run_tap_SOURCES = tests/run_tap.c
tests_run_tap_LDADD =
tests_harness_sample_LDADD = tests/libharness.a $(CMOCKA_LIBS)
built_tests = $(unit_tests)
endif

# Shell tests; each prints TAP.
gates = \
	tests/gates/exports.sh \
	tests/gates/headers.sh \
	tests/gates/includes.sh \
	tests/gates/length.sh \
	tests/gates/library.sh \
	tests/gates/lists.sh \
	tests/gates/memory.sh \
	tests/gates/shell.sh \
	tests/gates/snippets.sh \
	tests/gates/test_gates.sh \
	tests/gates/todo.sh \
	tests/test_harness.sh \
	$(end)

# Suites with a runner of their own, called by scripts/test: tests/SUITE/run.
include tests/cli/local.mk
include tests/crash/local.mk
include tests/fuzz/local.mk
include tests/models/local.mk
include tests/storm/local.mk
include tests/valgrind/local.mk

TESTS = $(gates) $(built_tests) $(cli_tests)
dist_check_SCRIPTS = $(gates)
EXTRA_DIST += \
	tests/README.md \
	tests/gates/README.md \
	tests/gates/includes.awk \
	tests/gates/tap.sh \
	tests/outside/Makefile \
	tests/outside/outside.c \
	tests/outside/outside.cc \
	tests/outside/run.sh \
	$(end)

TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
# The TAP lines have said it; the exit status would count a failed program once more.
AM_LOG_DRIVER_FLAGS = --ignore-exit
AM_SH_LOG_DRIVER_FLAGS = --ignore-exit
LOG_COMPILER = $(top_builddir)/tests/run-tap
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	SOURCE_DIR='$(abs_top_srcdir)'; BUILD_DIR='$(abs_top_builddir)'; \
	CC='$(CC)'; CXX='$(CXX)'; READELF='$(READELF)'; INSTRUMENTED='$(INSTRUMENT_CFLAGS)'; \
	PATH="$$BUILD_DIR/managerd:$$BUILD_DIR/managerd/ctl:$$PATH"; \
	SYNC_MANAGERD="$$BUILD_DIR/managerd/managerd"; \
	export SOURCE_DIR BUILD_DIR CC CXX READELF INSTRUMENTED PATH SYNC_MANAGERD;

PHONY += check-cli check-gates check-tsan check-unit print-gates
print-gates:
	@echo $(gates)
check-cli:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(cli_tests)'
check-gates:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(gates)'
check-unit:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(built_tests)'
check-qemu:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(qemu_tests)'
print-unqemu:
	@echo $(filter-out $(qemu_tests),$(unit_tests))
check-tsan:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(tsan_tests)'

installcheck-local:
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) \
	PKG_CONFIG='$(PKG_CONFIG)' DESTDIR='$(DESTDIR)' libdir='$(libdir)' \
	$(SHELL) $(srcdir)/tests/outside/run.sh
