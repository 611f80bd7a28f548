# SPDX-License-Identifier: BSD-2-Clause
#
# BSD source and the overlay: compiled with what pkg-config says for libbsdproc-overlay, and
# nothing else of ours.

overlay-flags := -isystem $(SRC)/overlay -D_DEFAULT_SOURCE
overlay-programs := thread_end supervisor wait_kinds
overlay-c = -O2 -g $(WARNINGS) -pedantic $(overlay-flags) -MMD -MP $(CFLAGS)

vm-tests: $(overlay-programs:%=$(O)/tests/overlay/%)

$(O)/tests/obj/overlay/%.o: $(SRC)/tests/overlay/%.c $(O)/flags $(SRC)/tests/overlay/overlay.mk
	@mkdir -p $(@D)
	$(ccache) $(CC) -std=gnu11 $(overlay-c) -c -o $@ $<

$(O)/tests/obj/overlay/names.o: overlay-c += -std=c99

$(overlay-programs:%=$(O)/tests/overlay/%): $(O)/tests/overlay/%: $(O)/tests/obj/overlay/%.o \
		$(lib-so)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< -L$(O)/lib -lbsdproc

OBJS_test_overlay_names := tests/obj/overlay/names.o lib/libbsdproc.a
CXXFLAGS_test_overlay_names := -std=c++17 -pedantic $(overlay-flags)
