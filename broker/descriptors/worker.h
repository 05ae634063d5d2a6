// SPDX-License-Identifier: MIT
// What a descriptor process does, task after task, until the broker has gone. It knows no policy,
// no plan and no other user: every decision comes with the task.
#pragma once

namespace px::broker {

// One result for each task.
void work_off_tasks(int tasks, int results);

}  // namespace px::broker
