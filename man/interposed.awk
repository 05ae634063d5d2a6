# Puts the names of preload/interposed.def (the first file) in place of @INTERPOSED@ in the second.
# A table without calls is an error: a man page that says "none" would be believed.
FNR == NR {
  if (match($0, /^PX_(CALL|NAMES|ALIAS|NAMES_ALIAS)\([A-Za-z0-9_]+/)) {
    name = substr($0, RSTART, RLENGTH)
    sub(/^.*\(/, "", name)
    # scdoc takes an underscore for the beginning of emphasis.
    gsub(/_/, "\\_", name)
    names = names (names == "" ? "" : ", ") "*" name "*"
  }
  next
}
{
  if (names == "") exit 1
  sub(/@INTERPOSED@/, names)
  print
}
