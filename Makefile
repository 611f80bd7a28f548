# SPDX-License-Identifier: GPL-2.0-only
# `make help` says what there is.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

# The kernel that the virtual machine boots: a name that scripts/kernel knows.
KERNEL ?= 6.1
# Headers to build the module against instead, such as /lib/modules/$(uname -r)/build.
KDIR ?=

# n: the module is built without traces of processes (bsdktrace).
KTRACE ?= y
export KTRACE

PREFIX ?= /usr/local
DESTDIR ?=

B := $(CURDIR)/build
MODULE_OUT := $(B)/module/$(if $(KDIR),other,$(KERNEL))
KO := $(MODULE_OUT)/bsdproc.ko
USERLAND := $(MAKE) -C userland O=$(B)/userland PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

.PHONY: all
all: module userland

.PHONY: module
module:
	@kdir="$(KDIR)"; [ -n "$$kdir" ] || kdir=$$(scripts/kernel --build-dir $(KERNEL)) || exit; \
	scripts/build-module "$$kdir" $(MODULE_OUT)

.PHONY: userland tests
userland:
	+@$(USERLAND) all
tests: userland
	+@$(USERLAND) tests

.PHONY: setup
setup:
	@scripts/setup

.PHONY: run
run: setup
	@$(MAKE) -s -j2 all tests
	@scripts/vm --kernel $(KERNEL) --no-module --timeout 240 --env BSDPROC_KO=$(KO) -- scripts/demo

.PHONY: check
check: setup
	@KERNEL=$(KERNEL) scripts/check

# The suites need a kernel with KUnit, which no stock one has.
KUNIT_KERNEL := $(if $(filter file,$(origin KERNEL)),6.1-debug,$(KERNEL))
.PHONY: kunit
kunit: setup
	@scripts/kunit $(KUNIT_KERNEL)

# Too slow for check.
.PHONY: check-debug kcsan
check-debug: setup
	@scripts/check-debug debug
kcsan: setup
	@scripts/check-watchers kcsan
	@scripts/kunit 6.1-kcsan
	@scripts/check-debug kcsan

# A million calls, half of them unprivileged.
.PHONY: fuzz-device
fuzz-device: setup
	@BSDPROC_FUZZ_CALLS=$${BSDPROC_FUZZ_CALLS:-500000} scripts/check-debug debug fuzz

.PHONY: check-matrix
check-matrix: setup
	@scripts/check-matrix

.PHONY: fuzz
fuzz: setup
	+@$(USERLAND) fuzz

.PHONY: bench
bench: setup
	@$(MAKE) -s -j2 module userland
	+@$(USERLAND) -s bench
	@scripts/bench --kernel $(KERNEL)

.PHONY: mutants
mutants: setup
	@scripts/mutants

.PHONY: shell
shell: setup
	@$(MAKE) -s -j2 all
	@scripts/vm --kernel $(KERNEL)

# The module goes to the kernel that it was built for: this machine's by default.
.PHONY: install
install: KDIR := $(or $(KDIR),$(wildcard /lib/modules/$(shell uname -r)/build))
install:
	@$(MAKE) -s module KDIR=$(KDIR)
	+@$(USERLAND) all install
	@scripts/install-module $(B)/module/$(if $(KDIR),other,$(KERNEL))/bsdproc.ko "$(DESTDIR)"

.PHONY: format
format:
	@git ls-files '*.c' '*.h' '*.cc' '*.hh' | xargs clang-format -i

.PHONY: clean
clean:
	rm -rf $(B)

.PHONY: help
help:
	@echo 'make run       boot a kernel in a VM, load the module under load, show the model'
	@echo 'make check     all tests; closes with "N passed, N failed"'
	@echo 'make kunit     KUnit suites, on a debug kernel that is built the first time'
	@echo 'make check-debug  the tests that need the module, all of them, on the debug kernel; slow'
	@echo 'make kcsan     the tests on a kernel that looks for data races; slow'
	@echo 'make check-matrix  the tests that need the module, on all three kernels'
	@echo 'make fuzz      looks for sequences that the core gets wrong; FUZZ_SECONDS=60'
	@echo 'make fuzz-device  garbage for the device, on the debug kernel; BSDPROC_FUZZ_CALLS=500000'
	@echo 'make bench     what the module costs, beside native Linux; build/bench.json'
	@echo 'make mutants   takes guards out of the core; a test must fail for each'
	@echo 'make           build everything: the module for the VM kernel, library, tools'
	@echo 'make module    the module alone'
	@echo 'make userland  library and tools alone'
	@echo 'make shell     a shell in the VM, with the module loaded'
	@echo 'make install   module, library, headers, pkg-config file, tools, man pages'
	@echo 'make format    clang-format over the sources'
	@echo 'make clean     remove build/'
	@echo
	@echo 'KERNEL=6.1|6.12|7.2  the VM kernel        KDIR=DIR   headers to build against'
	@echo 'KTRACE=n             without bsdktrace'
	@echo 'INVARIANTS=y         with the core'\''s assertions, as on debug kernels'
	@echo 'PREFIX=/usr/local    for install          DESTDIR=   for install'
