# SPDX-License-Identifier: BSD-2-Clause
#
# The core against the reference model: test_core_reference with random sequences and
# those in corpus/, and libFuzzer (clang) in search of new ones.
#
#   make -C userland O=/abs/build/userland fuzz FUZZ_SECONDS=900
#
# looks for that long, then keeps in corpus/ the fewest files that reach as much of
# module/core. A sequence that fails is left in O/fuzz; test_core_reference prints it:
# CORE_SCRIPT=file.

FUZZ_SECONDS ?= 60
CLANGXX ?= clang++

reference-sources := $(wildcard $(SRC)/tests/reference/*.cc)
reference-names := $(filter-out fuzz_%,$(basename $(notdir $(reference-sources))))
corpus := $(SRC)/tests/reference/corpus

reference-objects := $(reference-names:%=tests/obj/reference/%.o)
$(foreach name,$(reference-names),$(eval CXXFLAGS_$(name) := $(core-flags) $(CORE_SANITIZE)))
OBJS_test_core_reference += $(reference-objects)
CXXFLAGS_test_core_reference += -I$(SRC)/tests/reference -DCORPUS='"$(corpus)"'
$(reference-objects:%=$(O)/%): $(O)/core-flags

# ---- the fuzzer: everything once more, by clang -------------------------------------

# What it reaches is watched in the core alone.
fuzz-sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz-watch := -fsanitize=fuzzer-no-link $(FUZZ_COVERAGE)
fuzz-objects := $(addprefix $(O)/,$(call core-objects-in,fuzz)) \
	$(reference-names:%=$(O)/fuzz/reference/%.o) $(O)/fuzz/reference/fuzz_core.o

$(eval $(call core-variant,fuzz,$(fuzz-sanitize),$(fuzz-sanitize) $(fuzz-watch)))
$(fuzz-objects): CXX := $(CLANGXX)

$(O)/fuzz/reference/%.o: $(SRC)/tests/reference/%.cc $(O)/flags $(O)/core-flags
	@mkdir -p $(@D)
	$(ccache) $(CXX) $(cxxflags) -pthread $(core-flags) $(fuzz-sanitize) -c -o $@ $<

$(O)/fuzz/fuzz_core: $(fuzz-objects)
	$(CLANGXX) $(fuzz-sanitize) -fsanitize=fuzzer $(FUZZ_COVERAGE) -pthread -o $@ $^ -lgtest

# Merged into a new directory first: a run that is broken off takes nothing away. Files with
# a name of their own were failures once, and stay.
.PHONY: fuzz
fuzz: $(O)/fuzz/fuzz_core
	mkdir -p $(O)/fuzz/found
	cd $(O)/fuzz && nice ./fuzz_core -max_total_time=$(FUZZ_SECONDS) -max_len=1025 -timeout=20 \
		-print_final_stats=1 -verbosity=0 found $(corpus)
	rm -rf $(O)/fuzz/merged && mkdir $(O)/fuzz/merged
	cd $(O)/fuzz && ./fuzz_core -set_cover_merge=1 -verbosity=0 merged $(corpus) found
	find $(corpus) -type f -regex '.*/[0-9a-f]*' -delete && cp $(O)/fuzz/merged/* $(corpus)

-include $(wildcard $(O)/fuzz/*/*.d)
