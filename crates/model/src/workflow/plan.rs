//! A workflow as a run carries it out: its stages in an order in which each stands after those it needs,
//! and its tasks once each.

use super::{Stage, Workflow};
use crate::{Fallback, PlannedStage, Task};

impl Workflow {
    /// The tasks and the stages of a run of this workflow, which has no problems. `common` are the tasks
    /// that every workflow can use; `providers` says where a stage goes that does not go where the run
    /// goes.
    #[must_use]
    pub fn planned(
        &self,
        common: &[Task],
        providers: impl Fn(&Stage) -> Vec<Fallback>,
    ) -> (Vec<Task>, Vec<PlannedStage>) {
        let mut order: Vec<&Stage> = Vec::with_capacity(self.stages.len());
        while let Some(next) = self.stages.iter().find(|stage| {
            let placed = |id| order.iter().any(|o| &o.id == id);
            !placed(&stage.id) && stage.needs.iter().all(placed)
        }) {
            order.push(next);
        }
        let mut tasks: Vec<Task> = Vec::new();
        let mut stages = Vec::with_capacity(order.len());
        for stage in &order {
            let found = stage.tasks.iter().filter_map(|id| self.task(id, common));
            let places = found.map(|task| {
                let place = tasks.iter().position(|t| t.id == task.id).unwrap_or_else(|| {
                    tasks.push(task.clone());
                    tasks.len() - 1
                });
                u32::try_from(place).unwrap_or(u32::MAX)
            });
            let places = places.collect();
            let needs = stage.needs.iter().filter_map(|need| {
                let place = order.iter().position(|o| &o.id == need)?;
                u16::try_from(place).ok()
            });
            stages.push(PlannedStage {
                id: stage.id.clone(),
                name: stage.label(),
                tasks: places,
                needs: needs.collect(),
                scope: stage.scope,
                pieces: false,
                concurrency: stage.concurrency,
                providers: providers(stage),
            });
        }
        (tasks, stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::built_in;
    use crate::{StageId, TaskId};

    #[test]
    fn stages_stand_after_those_they_need_and_tasks_once() {
        let stage = |id: &str, tasks: &[&str], needs: &[&str]| Stage {
            id: StageId(id.to_owned()),
            tasks: tasks.iter().map(|t| TaskId::from(*t)).collect(),
            needs: needs.iter().map(|n| StageId((*n).to_owned())).collect(),
            ..Stage::default()
        };
        let workflow = Workflow {
            stages: vec![
                stage("last", &["summary"], &["a-b", "first"]),
                stage("a-b", &["summary", "keywords"], &["first"]),
                stage("first", &["keywords"], &[]),
            ],
            ..Workflow::default()
        };
        let (tasks, stages) = workflow.planned(&built_in(), |_| Vec::new());
        let names: Vec<_> = stages.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["First", "A b", "Last"]);
        assert_eq!(stages[1].needs, [0]);
        assert_eq!(stages[2].needs, [1, 0]);
        let ids: Vec<_> = tasks.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(ids, ["keywords", "summary"]);
        assert_eq!(stages[1].tasks, [1, 0]);
    }
}
