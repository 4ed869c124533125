"""Values that every part uses: boxes and sizes, picture layouts, frame ranges, progress."""
