-- below is in front of every script that goes by the order of the list.

-- below compares ids byte by byte, as Redis sorts them: the < of Lua goes by the
-- locale.
local function below(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

