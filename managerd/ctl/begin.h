/* SPDX-License-Identifier: MIT */
/* How every reading verb begins: take a view, say how the manager is; or say why not. */
#ifndef CTL_BEGIN_H
#define CTL_BEGIN_H

#include "managerd/ctl/view.h"

/* 0, or CTL_FAILED after a complaint. */
int ctl_begin(const struct ctl_request *request, struct ctl_view *ret_view);
/* The text of a failed call, for people or programs. Returns CTL_FAILED. */
int ctl_refuse(const struct ctl_request *request, int code);
/* Names that no object has are complained of. Returns how many there are. */
int ctl_missing(const struct ctl_request *request, const struct ctl_view *view);

#endif
