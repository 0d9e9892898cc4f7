# The fuzzers are built and run by tests/fuzz/run, with clang; their targets run over the corpus here.
unit_tests += tests/fuzz/test_corpus
tests_fuzz_test_corpus_SOURCES = \
	tests/fuzz/address.c \
	tests/fuzz/config.c \
	tests/fuzz/corpus.c \
	tests/fuzz/damage.c \
	tests/fuzz/damage.h \
	tests/fuzz/fuzz.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/hello.c \
	tests/fuzz/lab.c \
	tests/fuzz/lab.h \
	tests/fuzz/ring.c \
	tests/fuzz/segment.c \
	tests/fuzz/test_corpus.c \
	tests/fuzz/text.c \
	tests/fuzz/views.c \
	$(end)
tests_fuzz_test_corpus_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_test_corpus_LDADD = tests/libharness.a
if MANAGERCTL
tests_fuzz_test_corpus_CPPFLAGS += -DFUZZ_VIEWS
tests_fuzz_test_corpus_LDADD += libmanagerctlcore.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS)
endif
tests_fuzz_test_corpus_LDADD += libmanagerdcore.la libsynccore.la $(INIH_LIBS) $(CMOCKA_LIBS)

EXTRA_DIST += \
	tests/fuzz/README.md \
	tests/fuzz/build \
	tests/fuzz/corpus/address.hex \
	tests/fuzz/corpus/config.hex \
	tests/fuzz/corpus/hello.hex \
	tests/fuzz/corpus/ring.hex \
	tests/fuzz/corpus/segment.hex \
	tests/fuzz/corpus/text.hex \
	tests/fuzz/libfuzzer.c \
	tests/fuzz/run \
	$(end)

PHONY += check-fuzz
check-fuzz: managerd/managerd
	SOURCE_DIR='$(abs_top_srcdir)' BUILD_DIR='$(abs_top_builddir)' $(srcdir)/tests/fuzz/run
