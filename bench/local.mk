# Built by `make bench`, which runs them.
bench_programs = \
	$(end)
EXTRA_PROGRAMS = $(bench_programs)
