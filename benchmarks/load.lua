-- What wrk does beside asking: paths and a pause from the command line, and figures that a program can read.
--   wrk ... -s load.lua URL -- PAUSE_MILLISECONDS PATH [PATH ...]

local paths, pause = {}, 0
local turn = 0

function init(arguments)
    pause = tonumber(arguments[1])
    for position = 2, #arguments do
        paths[#paths + 1] = arguments[position]
    end
    -- Each thread begins elsewhere, so that they do not ask for the same thing in step.
    math.randomseed(os.time())
    turn = math.random(#paths)
end

function request()
    turn = turn % #paths + 1
    return wrk.format("GET", paths[turn])
end

function delay()
    -- Spread around the mean: connections that pause alike would send in bursts.
    return pause == 0 and 0 or math.random(math.floor(pause * 0.5), math.ceil(pause * 1.5))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "p999": %f, "longest": %f, "failed": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        latency:percentile(99.9) / 1e3, latency.max / 1e3,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
