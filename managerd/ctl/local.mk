if MANAGERCTL
noinst_LTLIBRARIES += libmanagerctlcore.la
libmanagerctlcore_la_SOURCES = \
	$(end)
libmanagerctlcore_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SMARTCOLS_CFLAGS)

# To be switched on with main.c:
# bin_PROGRAMS += managerd/ctl/managerctl
# managerd_ctl_managerctl_SOURCES = managerd/ctl/main.c
# managerd_ctl_managerctl_LDADD = libmanagerctlcore.la libsynccore.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS)
endif
