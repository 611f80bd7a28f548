# SPDX-License-Identifier: BSD-2-Clause
#
# The tests of the core: module/core as it is, on the host in tests/host.
# CORE_SANITIZE= builds them without sanitizers, or with other ones.

CORE_SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined
core-tests := $(filter test_core_%,$(unit-names))
core-hosts := $(filter-out $(without),$(basename $(notdir $(wildcard $(SRC)/tests/host/*.cc))))
core-files := $(filter-out $(without),$(basename $(notdir $(wildcard $(ROOT)/module/core/kern_*.cc))))

core-flags := -I$(ROOT)/module -I$(SRC)/tests/host -DBSDPROC_LOCK_SIZE=64 -DINVARIANTS $(test-flags)

# core-objects-in DIR: the core and its host, below O.
core-objects-in = $(core-hosts:%=$(1)/host/%.o) $(core-files:%=$(1)/core/%.o)

# core-variant DIR HOST_FLAGS CORE_FLAGS: rules for them. The core's data get sections of
# their own: a load of the module starts with the data as linked.
define core-variant
$(O)/$(1)/host/%.o: $(SRC)/tests/host/%.cc $(O)/flags $(O)/core-flags
	@mkdir -p $$(@D)
	$$(ccache) $$(CXX) $$(cxxflags) -pthread $(core-flags) $(2) -c -o $$@ $$<

$(O)/$(1)/core/%.o: $(ROOT)/module/core/%.cc $(O)/flags $(O)/core-flags
	@mkdir -p $$(@D)
	$$(ccache) $$(CXX) -std=gnu++20 $$(filter-out -std=%,$$(cxxflags)) -fno-exceptions -fno-rtti \
		-fno-threadsafe-statics $(core-flags) $(3) -c -o $$@ $$<
	objcopy --rename-section .data=core_data --rename-section .bss=core_bss $$@
endef

$(O)/core-flags: FORCE
	@mkdir -p $(@D)
	@echo '$(core-flags) $(CORE_SANITIZE)' | cmp -s - $@ || \
		echo '$(core-flags) $(CORE_SANITIZE)' >$@

# ---- with AddressSanitizer and UBSan, and counting what of the core is reached ------

core-coverage := --coverage -fprofile-update=atomic

$(eval $(call core-variant,tests/obj,$(CORE_SANITIZE),$(CORE_SANITIZE) $(core-coverage)))

$(foreach name,$(core-tests),$(eval CXXFLAGS_$(name) := $(core-flags) $(CORE_SANITIZE)))
$(foreach name,$(core-tests),$(eval OBJS_$(name) := $(call core-objects-in,tests/obj)))
# host/core_data.cc writes the counters out before each load forgets them, if it can.
core-gcov := --coverage -Wl,-u,__gcov_dump -Wl,-u,__gcov_reset
$(foreach name,$(core-tests),$(eval LDLIBS_$(name) := $(CORE_SANITIZE) $(core-gcov)))
$(core-tests:%=$(O)/tests/obj/unit/%.o): $(O)/core-flags

# What has been reached of the core since coverage-zero.
.PHONY: coverage coverage-zero
# An assertion that fails is not a branch to be reached.
gcovr := gcovr --root $(ROOT) --filter $(ROOT)/module/core/ --object-directory $(O)/tests/obj/core \
	--exclude-throw-branches --exclude-unreachable-branches --exclude-branches-by-pattern ".*KKASSERT.*"
coverage-zero:
	@rm -f $(O)/tests/obj/core/*.gcda
coverage:
	@$(gcovr) $(O)/tests/obj/core | sed '/^GCC\|^Directory\|^ *GCC/d'
	@set -- $$($(gcovr) $(O)/tests/obj/core | sed -n 's/^TOTAL//p') \
		$$($(gcovr) --branches $(O)/tests/obj/core | sed -n 's/^TOTAL//p'); \
	echo "# the core: $$3 of its lines and $$6 of its branches reached"
	@$(gcovr) --fail-under-line 95 --fail-under-branch 85 $(O)/tests/obj/core >/dev/null

# ---- the storm, with ThreadSanitizer ---------------------------------------------

$(eval $(call core-variant,tests/tsan,-fsanitize=thread,-fsanitize=thread))

$(O)/tests/tsan/test_core_storm.o: $(SRC)/tests/unit/test_core_storm.cc $(O)/flags $(O)/core-flags
	@mkdir -p $(@D)
	$(ccache) $(CXX) $(cxxflags) -pthread $(core-flags) -fsanitize=thread -c -o $@ $<

$(O)/tests/tsan/test_core_storm: $(O)/tests/tsan/test_core_storm.o \
		$(addprefix $(O)/,$(call core-objects-in,tests/tsan))
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -pthread -fsanitize=thread -o $@ $^ -lgtest -lgtest_main

host-programs += $(O)/tests/tsan/test_core_storm

-include $(wildcard $(O)/tests/tsan/*.d $(O)/tests/tsan/*/*.d)
