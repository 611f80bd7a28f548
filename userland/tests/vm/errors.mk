# SPDX-License-Identifier: BSD-2-Clause
OBJS_test_errors := $(patsubst $(SRC)/tests/%.cc,tests/obj/%.o,$(wildcard $(SRC)/tests/errors/*.cc))
