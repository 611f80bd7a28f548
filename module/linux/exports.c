// SPDX-License-Identifier: GPL-2.0-only
/* What other modules may call; the core has it. */
#include <linux/export.h>

#include "../../include/bsdproc_at_exit.h"
#include "../../include/bsdproc_exit_stage.h"

EXPORT_SYMBOL_GPL(at_exit);
EXPORT_SYMBOL_GPL(rm_at_exit);
EXPORT_SYMBOL_GPL(process_exit_register);
EXPORT_SYMBOL_GPL(process_exit_deregister);
EXPORT_SYMBOL_GPL(at_exit_stage);
EXPORT_SYMBOL_GPL(rm_at_exit_stage);
