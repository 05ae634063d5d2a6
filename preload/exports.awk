# The version script: exactly the names of interposed.def, in an anonymous node. A named node would
# silently disable interposition.
BEGIN { FS = "[(,)]"; print "{\n  global:" }
/^PX_(CALL|NAMES|ALIAS|NAMES_ALIAS|SERVICE)\(/ { print "    " $2 ";" }
END { print "  local: *;\n};" }
