# Examples see what any user sees: the installed headers and the library, not config.h.
EXAMPLE_CPPFLAGS = -I$(top_srcdir)/include

noinst_PROGRAMS += \
	examples/barrier \
	examples/event \
	examples/mutex \
	examples/semaphore \
	examples/testbed/camera \
	examples/testbed/instrument \
	examples/testbed/mirror \
	examples/testbed/safety \
	examples/testbed/stage \
	examples/testbed/testbed \
	$(end)

examples_barrier_SOURCES = examples/barrier.c
examples_barrier_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_barrier_LDADD = libsync.la
examples_event_SOURCES = examples/event.c
examples_event_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_event_LDADD = libsync.la
examples_mutex_SOURCES = examples/mutex.c
examples_mutex_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_mutex_LDADD = libsync.la
examples_semaphore_SOURCES = examples/semaphore.c
examples_semaphore_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_semaphore_LDADD = libsync.la

noinst_LTLIBRARIES += examples/testbed/libcontroller.la
examples_testbed_libcontroller_la_SOURCES = \
	examples/testbed/clock.h \
	examples/testbed/controller.c \
	examples/testbed/controller.h \
	examples/testbed/protocol.h \
	$(end)
examples_testbed_libcontroller_la_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
TESTBED_LDADD = examples/testbed/libcontroller.la libsync.la

examples_testbed_camera_SOURCES = examples/testbed/camera.c
examples_testbed_camera_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_testbed_camera_LDADD = $(TESTBED_LDADD)
examples_testbed_mirror_SOURCES = examples/testbed/mirror.c
examples_testbed_mirror_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_testbed_mirror_LDADD = $(TESTBED_LDADD)
examples_testbed_safety_SOURCES = examples/testbed/safety.c
examples_testbed_safety_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_testbed_safety_LDADD = $(TESTBED_LDADD)
examples_testbed_stage_SOURCES = examples/testbed/stage.c
examples_testbed_stage_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_testbed_stage_LDADD = $(TESTBED_LDADD)

examples_testbed_instrument_SOURCES = examples/testbed/instrument.c
examples_testbed_instrument_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_testbed_instrument_LDADD =

examples_testbed_testbed_SOURCES = \
	examples/testbed/children.c \
	examples/testbed/children.h \
	examples/testbed/run.c \
	examples/testbed/run.h \
	examples/testbed/testbed.c \
	examples/testbed/verdict.c \
	$(end)
examples_testbed_testbed_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_testbed_testbed_LDADD = libsync.la

EXTRA_DIST += \
	examples/README.md \
	examples/testbed/README.md \
	examples/testbed/run-demo \
	$(end)
