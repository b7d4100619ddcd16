# The Makefile of a build folder: forwards to ninja and meson. V=1 shows commands.
# SPDX-License-Identifier: GPL-2.0-or-later
MAKEFLAGS += --no-builtin-rules
NINJA = ninja
JOBS = $(filter-out -j,$(filter -j%,$(MAKEFLAGS)))
FLAGS = $(JOBS) $(if $(filter 1,$(V)),-v)

.PHONY: all check bench install clean
all:
	@$(NINJA) $(FLAGS)

check:
	@$(NINJA) $(FLAGS)
	@meson test --print-errorlogs $(MTESTFLAGS)

check-%: FORCE
	@$(NINJA) $(FLAGS)
	@meson test --print-errorlogs --suite $* $(MTESTFLAGS)

bench: all
	@meson test --benchmark --no-rebuild --verbose --num-processes 1

install: all
	@meson install --no-rebuild

clean:
	@$(NINJA) -t clean

# Anything else is a file or target of ninja's.
%: FORCE
	@$(NINJA) $(FLAGS) $@
FORCE:
Makefile: ;
