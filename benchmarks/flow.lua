-- For wrk, with as many threads as connections: each thread is a guest who opens the event page and
-- the form, sends it, confirms it and opens the ticket, and then comes back as the next guest.
local page = "/zh/events/big"
local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("id", #threads)
end

function init(args)
  step, guest, flows, wrong, token, ticket = 0, tonumber(args[1]), 0, 0, "", ""
end

local function filled(confirmed)
  local typed = "name=%%E7%%8E%%8B%%E5%%B0%%8F%%E6%%98%%8E&phone=1%02d%08d&companion-1=&website=&csrf_token=%s%s"
  return wrk.format("POST", page .. "/register", headers, typed:format(30 + id, guest, token, confirmed))
end

function request()
  if step == 0 then
    guest = guest + 1
    return wrk.format("GET", page)
  end
  if step == 1 then return wrk.format("GET", page .. "/register") end
  if step == 2 then return filled("") end
  if step == 3 then return filled("&confirmed=yes") end
  return wrk.format("GET", ticket)
end

function response(status, given, body)
  if status ~= (step == 3 and 303 or 200) then
    wrong, step = wrong + 1, 0
    return
  end
  if step == 1 then token = body:match('name="csrf_token" value="([^"]+)"') end
  if step == 3 then ticket = given["Location"]:match("(/T/[^#]+)") end
  if step == 4 then flows = flows + 1 end
  step = (step + 1) % 5
end

function done(summary, latency)
  local sum = { flows = 0, wrong = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(sum) do sum[name] = sum[name] + thread:get(name) end
  end
  print("= requests " .. sum.flows)
  print("= duration " .. summary.duration)
  print("= p50 " .. latency:percentile(50))
  print("= p95 " .. latency:percentile(95))
  print("= wrong " .. sum.wrong)
end
