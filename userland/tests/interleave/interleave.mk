# SPDX-License-Identifier: BSD-2-Clause
#
# test_interleave: scenarios of tests/interleave in every order of their threads' steps. The
# core is compiled with the compiler's -fsanitize=thread, whose runtime is ours.

interleave-flags := -I$(ROOT)/module -I$(SRC)/tests/host -DBSDPROC_LOCK_SIZE=64 -O1
interleave-names := $(basename $(notdir $(wildcard $(SRC)/tests/interleave/*.cc)))
interleave-objects := $(interleave-names:%=tests/interleave/obj/%.o) \
	$(core-hosts:%=tests/interleave/obj/host/%.o) \
	$(core-files:%=tests/interleave/obj/core/%.o)
interleave-program := $(O)/tests/interleave/test_interleave

$(O)/tests/interleave/obj/%.o: $(SRC)/tests/interleave/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(CXX) $(cxxflags) -pthread $(interleave-flags) -c -o $@ $<

$(O)/tests/interleave/obj/host/%.o: $(SRC)/tests/host/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(CXX) $(cxxflags) -pthread $(interleave-flags) -c -o $@ $<

$(O)/tests/interleave/obj/core/%.o: $(ROOT)/module/core/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(CXX) -std=gnu++20 $(filter-out -std=%,$(cxxflags)) -fno-exceptions -fno-rtti \
		-fno-threadsafe-statics $(interleave-flags) -fsanitize=thread -c -o $@ $<
	objcopy --rename-section .data=core_data --rename-section .bss=core_bss $@

$(interleave-program): $(interleave-objects:%=$(O)/%)
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lgtest -lgtest_main

host-programs += $(interleave-program)

-include $(wildcard $(O)/tests/interleave/obj/*.d $(O)/tests/interleave/obj/*/*.d)
