EXTRA_DIST += \
	tests/models/README.md \
	tests/models/barrier.pml \
	tests/models/event.pml \
	tests/models/guard.pml \
	tests/models/mutex.pml \
	tests/models/mutex_break.pml \
	tests/models/mutex_death.pml \
	tests/models/mutex_state.pml \
	tests/models/run \
	tests/models/semaphore.pml \
	$(end)

# The whole set; scripts/stages/models runs the shorter one.
models:
	$(top_srcdir)/tests/models/run --full
PHONY += models
