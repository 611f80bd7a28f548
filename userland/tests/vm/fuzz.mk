# SPDX-License-Identifier: BSD-2-Clause
OBJS_fuzz_device := $(patsubst $(SRC)/tests/%.cc,tests/obj/%.o,$(wildcard $(SRC)/tests/fuzz/*.cc))
