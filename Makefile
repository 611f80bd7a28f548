# SPDX-License-Identifier: GPL-2.0-only
# make help says what there is.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

# The kernel that module and VM are for: a name that scripts/kernel knows.
KERNEL ?= 6.1
B := $(CURDIR)/build
MODULE_DIR = $(B)/module/$(if $(KDIR),$(notdir $(abspath $(KDIR))),$(KERNEL))

.PHONY: all
all: module userland

.PHONY: module
# KDIR: a kernel's build directory, such as /lib/modules/$(uname -r)/build.
module:
	@kdir="$(KDIR)"; [ -n "$$kdir" ] || kdir=$$(scripts/kernel $(KERNEL) --build-dir) || exit; \
	scripts/build-module "$$kdir" "$(MODULE_DIR)"
