# SPDX-License-Identifier: BSD-2-Clause
#
# A tree of targets for make -j: three levels, each of the upper ones of four below; with
# BAD=1 two of the leaves fail, by a code and by a signal.
leaves := $(foreach a,1 2 3 4,$(foreach b,1 2 3 4,leaf.$(a).$(b)))

all: $(foreach a,1 2 3 4,node.$(a))
	@cat $^ >$@

$(foreach a,1 2 3 4,$(eval node.$(a): $(foreach b,1 2 3 4,leaf.$(a).$(b))))

node.%:
	@cat $^ >$@

leaf.%:
	@echo "$*" | tr . - | (read -r line; echo "leaf $$line" >$@)
	@test -s $@ && true

ifdef BAD
leaf.2.3:
	@exit 3
leaf.4.1:
	@kill -TERM $$$$
endif
