# Built by `make bench`, which runs it: BENCH=pair asks one question, BENCHFLAGS=--json changes how.
bench_programs = \
	bench/bench \
	$(end)
EXTRA_PROGRAMS = $(bench_programs)
CLEANFILES += $(bench_programs)

# As a user's program: the installed headers, and the library with its symbols hidden.
bench_bench_CPPFLAGS = -include $(top_builddir)/config.h -I$(top_srcdir)/include -I$(top_srcdir)
bench_bench_LDADD = libsync.la -lm
bench_bench_SOURCES = \
	bench/barrier.c \
	bench/bench.h \
	bench/contended.c \
	bench/crew.c \
	bench/death.c \
	bench/event.c \
	bench/fairness.c \
	bench/handoff.c \
	bench/handoff.h \
	bench/lab.c \
	bench/machine.c \
	bench/main.c \
	bench/open.c \
	bench/pair.c \
	bench/report.c \
	bench/stopped.c \
	$(end)

# bench-quick judges nothing: it shows that every question still runs.
PHONY += bench bench-quick
bench bench-quick: bench/bench$(EXEEXT) managerd/managerd$(EXEEXT)
	$(AM_V_at)SYNC_MANAGERD='$(abs_top_builddir)/managerd/managerd' \
		bench/bench$(EXEEXT) `test $@ = bench || echo --quick` $(BENCHFLAGS) $(BENCH)

EXTRA_DIST += bench/README.md
