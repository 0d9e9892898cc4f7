dist_man_MANS += \
	$(end)
dist_doc_DATA = \
	$(end)
EXTRA_DIST += \
	$(end)
