noinst_PROGRAMS += tests/valgrind/threads
tests_valgrind_threads_SOURCES = tests/valgrind/threads.c
tests_valgrind_threads_CPPFLAGS = -I$(top_srcdir)/include
tests_valgrind_threads_LDADD = libsync.la
EXTRA_DIST += tests/valgrind/run
