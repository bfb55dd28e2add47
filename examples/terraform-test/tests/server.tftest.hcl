# Against a real server: what the module plans is what it would get. Reads CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN.

provider "cloudpam" {
  holder   = "terraform-test"
  hold_ttl = "5m" # what a test plans need not be kept for long
}

run "pool" {
  module {
    source = "./tests/pool"
  }
}

run "plan_shows_every_cidr" {
  command = plan

  variables {
    pool = run.pool.id
  }

  assert {
    condition     = output.cidrs == tomap({ app = "10.0.0.0/24", data = "10.0.1.0/25", edge = "10.0.1.128/27" })
    error_message = "Planned ${jsonencode(output.cidrs)}."
  }

  assert {
    condition     = length(terraform_data.subnet) == 3
    error_message = "Not every CIDR becomes a subnet."
  }
}

run "apply_keeps_what_was_planned" {
  variables {
    pool = run.pool.id
  }

  assert {
    condition     = output.cidrs == run.plan_shows_every_cidr.cidrs
    error_message = "Planned ${jsonencode(run.plan_shows_every_cidr.cidrs)}, applied ${jsonencode(output.cidrs)}."
  }
}

run "one_more_moves_no_other" {
  command = plan

  variables {
    pool    = run.pool.id
    subnets = { app = 24, data = 25, edge = 27, cache = 26 }
  }

  assert {
    condition     = alltrue([for name, cidr in run.apply_keeps_what_was_planned.cidrs : output.cidrs[name] == cidr])
    error_message = "A subnet moved."
  }
}

# The module's own condition looks at the CIDR, and needs no apply for it.
run "too_small_is_refused" {
  command = plan

  variables {
    pool    = run.pool.id
    subnets = { app = 24, data = 25, edge = 30 }
  }

  expect_failures = [cloudpam_allocation_set.shop]
}
