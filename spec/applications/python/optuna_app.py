"""optuna with its journal in Redis: a study by two workers, found again by a third one."""
import optuna
from optuna.storages import JournalRedisStorage, JournalStorage
from server import URL, done

optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage():
    return JournalStorage(JournalRedisStorage(URL))


def objective(trial):
    return (trial.suggest_float('x', -10, 10) - 2) ** 2


sampler = optuna.samplers.RandomSampler(seed=1)
study = optuna.create_study(study_name='parabola', storage=storage(), sampler=sampler)
study.optimize(objective, n_trials=5)
optuna.load_study(study_name='parabola', storage=storage(), sampler=sampler).optimize(objective, 5)
found = optuna.load_study(study_name='parabola', storage=storage())
assert len(found.trials) == 10
assert all(trial.state == optuna.trial.TrialState.COMPLETE for trial in found.trials)
assert found.best_value == min(trial.value for trial in found.trials)
optuna.delete_study(study_name='parabola', storage=storage())
assert optuna.get_all_study_summaries(storage=storage()) == []
done()
