# SPDX-License-Identifier: BSD-2-Clause
#
# The tests of the core: module/core as it is, on the host in tests/host.
# CORE_SANITIZE= builds them without sanitizers, or with other ones.

CORE_SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined
core-tests := $(filter test_core_%,$(unit-names))
core-hosts := $(basename $(notdir $(wildcard $(SRC)/tests/host/*.cc)))
core-files := $(basename $(notdir $(wildcard $(ROOT)/module/core/*.cc)))

core-flags := -I$(ROOT)/module -I$(SRC)/tests/host \
	-DBSDPROC_LOCK_SIZE=64 -O1 $(CORE_SANITIZE)
core-objects := $(core-hosts:%=tests/obj/host/%.o) $(core-files:%=tests/obj/core/%.o)

$(foreach name,$(core-tests) $(core-hosts),$(eval CXXFLAGS_$(name) := $(core-flags)))
$(foreach name,$(core-tests),$(eval OBJS_$(name) := $(core-objects)))
$(foreach name,$(core-tests),$(eval LDLIBS_$(name) := $(CORE_SANITIZE)))

$(O)/core-flags: FORCE
	@mkdir -p $(@D)
	@echo '$(core-flags)' | cmp -s - $@ || echo '$(core-flags)' >$@

$(core-objects:%=$(O)/%) $(core-tests:%=$(O)/tests/obj/unit/%.o): $(O)/core-flags

# Sections of their own: a load of the module starts with the data as linked.
$(O)/tests/obj/core/%.o: $(ROOT)/module/core/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(CXX) -std=gnu++20 $(filter-out -std=%,$(cxxflags)) -fno-exceptions -fno-rtti \
		-fno-threadsafe-statics $(core-flags) -c -o $@ $<
	objcopy --rename-section .data=core_data --rename-section .bss=core_bss $@
