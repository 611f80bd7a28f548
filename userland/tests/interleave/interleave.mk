# SPDX-License-Identifier: BSD-2-Clause
#
# test_interleave: scenarios of tests/interleave in every order of their threads' steps. The
# core is compiled with the compiler's -fsanitize=thread, whose runtime is ours.

interleave-names := $(filter-out $(without),$(basename $(notdir \
	$(wildcard $(SRC)/tests/interleave/*.cc))))
interleave-program := $(O)/tests/interleave/test_interleave

$(eval $(call core-variant,tests/interleave/obj,,-fsanitize=thread))

$(O)/tests/interleave/obj/%.o: $(SRC)/tests/interleave/%.cc $(O)/flags $(O)/core-flags
	@mkdir -p $(@D)
	$(ccache) $(CXX) $(cxxflags) -pthread $(core-flags) -c -o $@ $<

$(interleave-program): $(interleave-names:%=$(O)/tests/interleave/obj/%.o) \
		$(addprefix $(O)/,$(call core-objects-in,tests/interleave/obj))
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lgtest -lgtest_main

host-programs += $(interleave-program)

-include $(wildcard $(O)/tests/interleave/obj/*.d $(O)/tests/interleave/obj/*/*.d)
