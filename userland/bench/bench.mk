# SPDX-License-Identifier: BSD-2-Clause
#
# The programs of `make bench`.

.PHONY: bench
bench: $(O)/bench/bench_cost $(O)/bench/bench_storm $(O)/bench/bench_core

$(O)/bench/%.o: $(SRC)/bench/%.c $(O)/flags
	@mkdir -p $(@D)
	$(ccache) $(CC) $(cflags) -pthread -c -o $@ $<

# Statically: a fork then has little to copy.
$(O)/bench/bench_cost: $(O)/bench/cost.o $(O)/lib/libbsdproc.a
	$(CC) $(CFLAGS) $(LDFLAGS) -static -pthread -o $@ $^

$(O)/bench/bench_storm: $(O)/bench/storm.o $(O)/lib/libbsdproc.a
	$(CC) $(CFLAGS) $(LDFLAGS) -static -pthread -o $@ $^

# The core as the kernel compiles it, but for what only a kernel has.
bench-core-flags := -I$(ROOT)/module -DBSDPROC_LOCK_SIZE=8
bench-core-objects := $(patsubst $(SRC)/bench/core/%.cc,$(O)/bench/host/%.o, \
	$(wildcard $(SRC)/bench/core/*.cc)) $(O)/bench/core/core.o

$(O)/bench/host/%.o: $(SRC)/bench/core/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(ccache) $(CXX) $(cxxflags) $(bench-core-flags) -pthread -c -o $@ $<

$(O)/bench/core/%.o: $(ROOT)/module/core/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(ccache) $(CXX) -std=gnu++20 $(filter-out -std=%,$(cxxflags)) -ffreestanding -fno-exceptions \
		-fno-rtti -fno-threadsafe-statics $(bench-core-flags) -c -o $@ $<

$(O)/bench/bench_core: $(bench-core-objects)
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lbenchmark

-include $(wildcard $(O)/bench/*.d $(O)/bench/*/*.d)
