EXTRA_DIST += \
	tests/models/mutex.pml \
	$(end)
