# managerctl against processes that hold and wait, with managerd alive, stopped, dead and never there.
if MANAGERCTL
check_PROGRAMS += tests/cli/lab
tests_cli_lab_SOURCES = tests/cli/lab.c
tests_cli_lab_LDADD = libsynccore.la
cli_tests = \
	tests/cli/test_damage.sh \
	tests/cli/test_manager.sh \
	tests/cli/test_usage.sh \
	tests/cli/test_verbs.sh \
	$(end)
endif

EXTRA_DIST += \
	tests/cli/README.md \
	tests/cli/cli.sh \
	tests/cli/test_damage.sh \
	tests/cli/test_manager.sh \
	tests/cli/test_usage.sh \
	tests/cli/test_verbs.sh \
	$(end)
