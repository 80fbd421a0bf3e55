"""Every sentence of a page on a dose, in English and in French; braces take numbers.

The English of a note is the one that `dose` prints (`NOTES`), that of a figure its own `LABELS`;
what stands here is all the rest, and every word of the French.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cytally.dosimetry.estimation.dose import NOTES, Note
from cytally.errors import SettingsError
from cytally.figures.curves import LABELS

_FIELD = re.compile(r"\{(?::([^}]*))?\}")


def key_of(note: str) -> str:
    """Under which key a note's sentence stands: `delta` is a method already."""
    return "delta few" if note == "delta" else note


_ENGLISH_OWN: Mapping[str, str] = {
    "title": "Biological dosimetry: report on a sample",
    "assay": "Dicentric assay in peripheral blood lymphocytes (topics of ISO 19238)",
    "identity": "1. Sample",
    "laboratory": "Laboratory",
    "accreditation": "Accreditation",
    "requested_by": "Requested by",
    "sample": "Code of the sample",
    "drawn": "Blood drawn",
    "received": "Received",
    "reported": "Reported",
    "history": "2. Exposure, as told to the laboratory",
    "exposed": "When",
    "radiation": "Radiation",
    "circumstances": "Circumstances",
    "earlier": "Earlier exposures, therapy, smoking",
    "duration": "Duration",
    "acute": "acute (taken as such)",
    "hours": "{} h; quadratic term times G = {} (repair in {} h)",
    "method": "3. Material and method",
    "tube": "Tube and transport",
    "culture": "Culture",
    "stain": "Staining",
    "scored_by": "Scored by",
    "selection": "Cells taken for scoring",
    "automatic": "automatic: ensemble {} of cytally, detector {}",
    "by_eye": "manual scoring",
    "automatic_unnamed": "automatic scoring by a detector that was not named",
    "validation": "Validation of the detector",
    "validated": "recall r = {} ({} of {} dicentrics found); f = {} false dicentrics per cell ({} in {} cells without aberrations)",
    "validated_beside": "; in exposed cells {} false in {}",
    "counts": "4. Counts",
    "cells": "Cells scored",
    "dicentrics": "Dicentrics",
    "yield": "Dicentrics per cell, exact 95 % limits",
    "limits": "{} ({} to {})",
    "skipped": "Images that could not be scored",
    "distribution": "Dicentrics in a cell",
    "of_cells": "Cells",
    "dispersion": "Variance over mean; u",
    "index_and_u": "{}; u = {}",
    "poisson": "The distribution of the dicentrics over the cells agrees with a Poisson distribution, as after an even exposure of the whole body.",
    "over": "The counts are overdispersed (u > 1.96), more uneven than chance allows: the exposure may have been partial or uneven.",
    "under": "The counts are underdispersed (u < -1.96), more even than chance allows: the selection of cells must be checked.",
    "too_few": "There are too few dicentrics to say whether they follow a Poisson distribution.",
    "totals_only": "Only totals were given: nothing can be said about their distribution over cells.",
    "quality_other": "the exposure is stated as {}, the curve was made with {}: the dose holds only as far as both radiations act alike",
    "quality_unclear": "the exposure is stated as {}, the curve as made with {}: whether the two qualities agree was not judged by the program",
    "quality_unstated": "the exposure is stated as {}, the radiation quality of the curve is not stated",
    "curve": "5. Calibration curve",
    "curve_of": "Calibration curve by",
    "curve_radiation": "Radiation quality",
    "curve_detector": "Counted by",
    "form": "Form",
    "formula": "Y = C + alpha D + beta D²",
    "line": "Y = C + alpha D",
    "coefficient": "{} ± {}",
    "at_bound": "{} ± {} (held at its bound by the fit)",
    "covariances": "Covariances of C, alpha; C, beta; alpha, beta",
    "no_covariances": "not stated, taken as 0",
    "linear-quadratic": "linear-quadratic",
    "linear": "linear",
    "Poisson": "Poisson",
    "quasi-Poisson": "quasi-Poisson",
    "as published": "as published",
    "fitted": "{}, fitted as {}",
    "dose_rate": "Dose rate",
    "quantity": "Quantity",
    "medium": "Medium",
    "temperature": "Temperature",
    "thresholds": "Thresholds of the detector",
    "counted_by": "Counted for the curve by",
    "made": "Date",
    "range": "Calibrated range",
    "up_to": "0 to {} Gy",
    "fit": "Goodness of fit",
    "chi2": "chi² = {}, df = {}, p {}",
    "unknown": "not stated",
    "dose": "6. Dose",
    "estimate": "Mean absorbed dose to the whole body",
    "dose_limits": "95 % limits",
    "between": "{} to {} Gy",
    "open": "{} Gy, no upper limit",
    "limits_by": "Limits by",
    "note": "Note: {}.",
    "merkle_limits": "The same by Merkle's method (83 % and 83 %)",
    "merkle": "Merkle's method: limits of 83 % of the count and of the curve, about 95 % together",
    "merkle95": "Merkle's method: limits of 95 % of the count and of the curve (wider than 95 % together)",
    "delta": "the delta method",
    "bayes": "the posterior density (inverse regression), highest density",
    "likelihood": "the likelihood ratio, with the curve's uncertainty inside",
    "errors": "the likelihood ratio, with the detector's recall and false detections carried",
    "partial": "7. Exposure of a part of the body",
    "not_indicated": "Not indicated by the distribution of the dicentrics over the cells.",
    "partial_totals": "Cannot be judged: only totals were given, not the distribution of the dicentrics over the cells.",
    "partial_few": "Cannot be judged: there are too few dicentrics.",
    "partial_errors": "The counts are overdispersed (u > 1.96), as after a partial exposure. Dolphin's method does not carry the detector's errors, and was not computed; the dose by profile likelihood (option --partial) carries them.",
    "d0": "D0 (37 % of the lymphocytes survive)",
    "gray": "{} Gy",
    "not_estimable": "The counts are overdispersed, but no partial-body dose can be estimated: that takes cells with two or more dicentrics, and more of them than chance gives.",
    "partial_dose": "Dose to the exposed part (contaminated Poisson, Dolphin)",
    "profile_dose": "Dose to the exposed part (contaminated Poisson, profile likelihood)",
    "profile_none": "A partial-body dose was asked for, and cannot be estimated from these counts.",
    "whole_possible": "The limits do not exclude an exposure of the whole body.",
    "body": "Part of the body exposed",
    "percent": "{} % ({} to {})",
    "cells_part": "Part of the scored cells that were exposed",
    "meaning": "8. What these numbers do not mean",
    "meaning_1": "The dose is the one that, given evenly to the whole body under the conditions of the curve, would bring about these counts. It says nothing about the dose to a single organ.",
    "read_acute": "{} in {}, read from the calibration curve{} as an acute exposure of the whole body.",
    "read_protracted": "{} in {}, read from the calibration curve{} as an exposure of the whole body protracted over {} h (G = {}).",
    "of_laboratory": " by {}",
    "of_radiation": " ({})",
    "limits_carry": "The limits carry {}.",
    "limits_lack": "They do not carry {}.",
    "and": " and ",
    "or": " or ",
    "part_count": "the counting (Poisson) uncertainty",
    "part_curve": "the uncertainty of the curve",
    "part_overdispersion": "the overdispersion of the counts",
    "part_members": "the disagreement of the ensemble's members",
    "part_errors": "the detector's recall and false detections as measured on the validation set",
    "lack_curve": "an uncertainty of the curve, as its file states none",
    "lack_absorbed": "errors of the detector beyond those that the curve, counted by the same detector, has absorbed",
    "lack_detector": "a difference in scoring between the sample and the curve",
    "lack_people": "differences between people",
    "lack_exposure": "an exposure other than assumed here",
    "meaning_eye": "Counts and curve were both scored manually.",
    "meaning_same": "Counts and curve were made by the same automatic detector, so that its errors have been absorbed as far as the cells of both looked alike.",
    "meaning_other": "Counts and curve were not made by the same detector or people: the dose holds only as far as both score alike.",
    "meaning_errors": "Counts by an automatic detector were read from a curve scored manually; its recall and false detections, measured on a validation set, are part of the limits.",
    "remarks": "Remarks",
    "signatures": "9. Signatures",
    "counted": "Scored",
    "checked": "Checked",
    "responsible": "Responsible for the laboratory",
    "sign": "{}: name, date, signature",
    "made_with": "Computed with cytally {}.",
    "page": "Page {} of {}",
    "dicentric_one": "{} dicentric",
    "dicentric_many": "{} dicentrics",
    "cell_one": "{} cell",
    "cell_many": "{} cells",
    "over_automatic": "Automatic counts vary a little more than chance by themselves (an index of 1.10 to 1.15): look at the cells with several dicentrics.",
}

_FRENCH_TYPED: Mapping[str, str] = {
    "title": "Dosimétrie biologique : rapport sur un échantillon",
    "assay": "Test des dicentriques dans les lymphocytes du sang périphérique (rubriques de l'ISO 19238)",
    "identity": "1. Échantillon",
    "laboratory": "Laboratoire",
    "accreditation": "Accréditation",
    "requested_by": "Demandé par",
    "sample": "Code de l'échantillon",
    "drawn": "Prélèvement",
    "received": "Réception",
    "reported": "Date du rapport",
    "history": "2. Exposition, telle que déclarée au laboratoire",
    "exposed": "Date",
    "radiation": "Rayonnement",
    "circumstances": "Circonstances",
    "earlier": "Expositions antérieures, thérapie, tabac",
    "duration": "Durée",
    "acute": "aiguë (considérée comme telle)",
    "hours": "{} h ; terme quadratique multiplié par G = {} (réparation en {} h)",
    "method": "3. Matériel et méthode",
    "tube": "Tube et transport",
    "culture": "Culture",
    "stain": "Coloration",
    "scored_by": "Comptage par",
    "selection": "Cellules retenues pour le comptage",
    "automatic": "automatique : ensemble {} de cytally, détecteur {}",
    "by_eye": "comptage manuel",
    "automatic_unnamed": "comptage automatique par un détecteur qui n'a pas été nommé",
    "validation": "Validation du détecteur",
    "validated": "sensibilité r = {} ({} des {} dicentriques trouvés) ; f = {} faux dicentriques par cellule ({} dans {} cellules sans aberration)",
    "validated_beside": " ; dans les cellules exposées {} faux dans {}",
    "counts": "4. Comptage",
    "cells": "Cellules comptées",
    "dicentrics": "Dicentriques",
    "yield": "Dicentriques par cellule, limites exactes à 95 %",
    "limits": "{} ({} à {})",
    "skipped": "Images qui n'ont pu être comptées",
    "distribution": "Dicentriques dans une cellule",
    "of_cells": "Cellules",
    "dispersion": "Variance sur moyenne ; u",
    "index_and_u": "{} ; u = {}",
    "poisson": "La répartition des dicentriques entre les cellules s'accorde avec une loi de Poisson, comme après une exposition homogène du corps entier.",
    "over": "Les comptages sont surdispersés (u > 1,96), plus inégaux que ne le permet le hasard : l'exposition a pu être partielle ou hétérogène.",
    "under": "Les comptages sont sous-dispersés (u < -1,96), plus égaux que ne le permet le hasard : la sélection des cellules est à vérifier.",
    "too_few": "Les dicentriques sont trop peu nombreux pour dire s'ils suivent une loi de Poisson.",
    "totals_only": "Seuls des totaux ont été donnés : rien ne peut être dit de leur répartition entre les cellules.",
    "quality_other": "l'exposition est déclarée comme {}, la courbe a été établie avec {} : la dose ne vaut que si les deux rayonnements agissent de même",
    "quality_unclear": "l'exposition est déclarée comme {}, la courbe comme établie avec {} : le programme n'a pas jugé si les deux qualités concordent",
    "quality_unstated": "l'exposition est déclarée comme {}, la qualité du rayonnement de la courbe n'est pas précisée",
    "curve": "5. Courbe d'étalonnage",
    "curve_of": "Courbe d'étalonnage établie par",
    "curve_radiation": "Qualité du rayonnement",
    "curve_detector": "Comptée par",
    "form": "Forme",
    "formula": "Y = C + alpha D + bêta D²",
    "line": "Y = C + alpha D",
    "coefficient": "{} ± {}",
    "at_bound": "{} ± {} (maintenu à sa borne par l'ajustement)",
    "covariances": "Covariances de C, alpha ; C, bêta ; alpha, bêta",
    "no_covariances": "non précisées, prises comme nulles",
    "linear-quadratic": "linéaire-quadratique",
    "linear": "linéaire",
    "Poisson": "Poisson",
    "quasi-Poisson": "quasi-Poisson",
    "as published": "telle que publiée",
    "fitted": "{}, ajustée comme {}",
    "dose_rate": "Débit de dose",
    "quantity": "Grandeur",
    "medium": "Milieu",
    "temperature": "Température",
    "thresholds": "Seuils du détecteur",
    "counted_by": "Comptage de la courbe par",
    "made": "Date",
    "range": "Domaine étalonné",
    "up_to": "0 à {} Gy",
    "fit": "Qualité de l'ajustement",
    "chi2": "chi² = {}, ddl = {}, p {}",
    "unknown": "non précisé",
    "dose": "6. Dose",
    "estimate": "Dose absorbée moyenne au corps entier",
    "dose_limits": "Limites à 95 %",
    "between": "{} à {} Gy",
    "open": "{} Gy, sans limite supérieure",
    "limits_by": "Limites par",
    "note": "Note : {}.",
    "merkle_limits": "Les mêmes par la méthode de Merkle (83 % et 83 %)",
    "members": "les membres de l'ensemble ne sont pas d'accord (écart type {} dicentriques) : les limites en tiennent compte",
    "merkle": "la méthode de Merkle : limites à 83 % du comptage et de la courbe, environ 95 % ensemble",
    "merkle95": "la méthode de Merkle : limites à 95 % du comptage et de la courbe (plus de 95 % ensemble)",
    "delta": "la méthode delta",
    "bayes": "la densité a posteriori (régression inverse), plus haute densité",
    "likelihood": "le rapport de vraisemblance, incertitude de la courbe comprise",
    "errors": "le rapport de vraisemblance, sensibilité et fausses détections du détecteur comprises",
    "partial": "7. Exposition d'une partie du corps",
    "not_indicated": "La répartition des dicentriques entre les cellules n'en donne pas d'indice.",
    "partial_totals": "Ne peut être jugée : seuls des totaux ont été donnés, non la répartition des dicentriques entre les cellules.",
    "partial_few": "Ne peut être jugée : les dicentriques sont trop peu nombreux.",
    "partial_errors": "Les comptages sont surdispersés (u > 1,96), comme après une exposition partielle. La méthode de Dolphin ne tient pas compte des erreurs du détecteur et n'a pas été calculée ; la dose par vraisemblance profilée (option --partial) en tient compte.",
    "d0": "D0 (survie de 37 % des lymphocytes)",
    "gray": "{} Gy",
    "not_estimable": "Les comptages sont surdispersés, mais aucune dose partielle ne peut être estimée : il y faudrait des cellules portant deux dicentriques ou plus, et davantage que n'en donne le hasard.",
    "partial_dose": "Dose à la partie exposée (Poisson contaminée, Dolphin)",
    "profile_dose": "Dose à la partie exposée (Poisson contaminée, vraisemblance profilée)",
    "profile_none": "Une dose partielle a été demandée et ne peut être estimée à partir de ces comptages.",
    "whole_possible": "Les limites n'excluent pas une exposition du corps entier.",
    "body": "Partie du corps exposée",
    "percent": "{} % ({} à {})",
    "cells_part": "Part des cellules comptées qui ont été exposées",
    "meaning": "8. Ce que ces nombres ne disent pas",
    "meaning_1": "La dose est celle qui, reçue également par le corps entier dans les conditions de la courbe, produirait ces comptages. Elle ne dit rien de la dose à un organe particulier.",
    "read_acute": "{} dans {} ; dose lue sur la courbe d'étalonnage{}, pour une exposition aiguë du corps entier.",
    "read_protracted": "{} dans {} ; dose lue sur la courbe d'étalonnage{}, pour une exposition du corps entier étalée sur {} h (G = {}).",
    "of_laboratory": " établie par {}",
    "of_radiation": " ({})",
    "limits_carry": "Les limites comprennent {}.",
    "limits_lack": "Elles ne comprennent pas {}.",
    "and": " et ",
    "or": " ou ",
    "part_count": "l'incertitude de comptage (Poisson)",
    "part_curve": "l'incertitude de la courbe",
    "part_overdispersion": "la surdispersion des comptages",
    "part_members": "le désaccord entre les membres de l'ensemble",
    "part_errors": "la sensibilité et les fausses détections du détecteur, mesurées sur un jeu de validation",
    "lack_curve": "d'incertitude de la courbe, son fichier n'en donnant aucune",
    "lack_absorbed": "les erreurs du détecteur au-delà de celles qu'a absorbées la courbe, comptée par le même détecteur",
    "lack_detector": "un écart de comptage entre l'échantillon et la courbe",
    "lack_people": "les différences entre personnes",
    "lack_exposure": "une exposition autre que supposée ici",
    "meaning_eye": "Comptage et courbe ont tous deux été faits manuellement.",
    "meaning_same": "Comptage et courbe ont été faits par le même détecteur automatique : ses erreurs sont absorbées pour autant que les cellules aient eu le même aspect.",
    "meaning_other": "Comptage et courbe n'ont pas été faits par le même détecteur ou les mêmes personnes : la dose ne vaut que si les deux comptent de même.",
    "meaning_errors": "Le comptage d'un détecteur automatique a été lu sur une courbe comptée manuellement ; sa sensibilité et ses fausses détections, mesurées sur un jeu de validation, font partie des limites.",
    "remarks": "Remarques",
    "signatures": "9. Signatures",
    "counted": "Comptage",
    "checked": "Vérification",
    "responsible": "Responsable du laboratoire",
    "sign": "{} : nom, date, signature",
    "made_with": "Calculé avec cytally {}.",
    "page": "Page {} sur {}",
    "background": "pas plus de dicentriques que le bruit de fond de la courbe : seule la limite supérieure a un sens",
    "not distinguishable": "ne se distingue pas du bruit de fond : la limite inférieure est 0 Gy",
    "beyond": "au-delà du domaine étalonné (jusqu'à {} Gy) : extrapolé",
    "overdispersed": "surdispersion (u = {}) : l'exposition a pu être partielle ou hétérogène",
    "underdispersed": "sous-dispersion (u = {}) : des cellules ont-elles été choisies, des aberrations omises ?",
    "background errors": "pas plus que n'en expliquent le bruit de fond et les fausses détections : seule la limite supérieure a un sens",
    "contradiction": "un si petit nombre contredit le bruit de fond de la courbe (p = {}) : la courbe et l'échantillon ont-ils été comptés de même ?",
    "contradiction control": "un si petit nombre contredit le témoin (p = {}) : le témoin et l'échantillon ont-ils été comptés de même ?",
    "exact background": "la courbe ne dit rien de l'incertitude de son bruit de fond : il est pris comme exactement connu",
    "no controls": "les comptages de la courbe ne contiennent pas de cellules non exposées : son bruit de fond est extrapolé à partir de {} Gy, ce qui élargit les limites",
    "prior": "la loi a priori a sa part dans cette dose : le comptage seul dit {} Gy",
    "prior end": "la loi a priori s'arrête à {} Gy et coupe des doses plus élevées que le comptage laisse possibles",
    "upper beyond": "seule la limite supérieure est au-delà du domaine étalonné (jusqu'à {} Gy) : extrapolée",
    "range unknown": "le domaine étalonné de la courbe n'est pas connu : rien ne peut être dit d'une extrapolation",
    "lack of fit": "la courbe ne s'ajuste pas à ses propres comptages (p = {}) : les limites peuvent être trop étroites",
    "no growth": "le rendement de la courbe ne croît pas significativement avec la dose (p = {})",
    "curve overdispersed": "les comptages de la courbe sont eux-mêmes surdispersés entre les cellules (indice {}), ses erreurs celles de Poisson : les limites sont trop étroites",
    "delta few": "la méthode delta est trop étroite avec si peu de dicentriques",
    "dicentric_one": "{} dicentrique",
    "dicentric_many": "{} dicentriques",
    "cell_one": "{} cellule",
    "cell_many": "{} cellules",
    "over_automatic": "Les comptages automatiques varient d'eux-mêmes un peu plus que le hasard (indice de 1,10 à 1,15) : examiner les cellules qui portent plusieurs dicentriques.",
    "dose_axis": "dose (Gy)",
    "yield_axis": "dicentriques par cellule",
    "band": "bande à 95 % de la courbe",
    "curve_line": "courbe d'étalonnage",
    "curve_points": "échantillons d'étalonnage",
    "this_sample": "cet échantillon",
    "corrected": "cet échantillon, corrigé des erreurs du détecteur",
    "protracted": "étalée sur {} h, G = {}",
    "acute_line": "exposition aiguë",
    "decimal": ",",
}

#: Notes and figures bring their own English.
ENGLISH: Mapping[str, str] = {
    **_ENGLISH_OWN,
    **{key_of(key): _FIELD.sub("{}", sentence) for key, sentence in NOTES.items()},
    **LABELS,
}

#: French parts such a sign from its word, but never ends a line before it.
FRENCH: Mapping[str, str] = {
    key: re.sub(" (?=[:;?%])", "\N{NO-BREAK SPACE}", sentence) for key, sentence in _FRENCH_TYPED.items()
}
LANGUAGES = {"en": ENGLISH, "fr": FRENCH}


class Words:
    """Sentences and numbers of one language.

    Parameters
    ----------
    language : {"en", "fr"}
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise SettingsError(f"no report in {language!r}; expected one of {', '.join(LANGUAGES)}")
        self.language = language
        self._words = LANGUAGES[language]

    def __call__(self, key: str, *values: object) -> str:
        """The sentence of a key, numbers already as text filled in."""
        return self._words[key].format(*values)

    def number(self, value: float, digits: int = 2) -> str:
        """A number as people of the language write it.

        Examples
        --------
        >>> Words("en").number(1.845), Words("fr").number(1.845, 1), Words("fr").number(float("nan"))
        ('1.84', '1,8', '-')
        """
        if value != value:
            return "-"
        return self.local(f"{value:.{digits}f}")

    def local(self, text: str) -> str:
        """A number already written in English, with the decimal mark of the language."""
        return text.replace(".", self._words["decimal"])

    def counted(self, number: int, noun: str) -> str:
        """Such as "1 dicentric" or "2 cells"; `noun` is dicentric or cell.

        French takes the singular for 0 and 1, English for 1 alone.
        """
        one = number <= 1 if self.language == "fr" else number == 1
        return self(f"{noun}_{'one' if one else 'many'}", number)

    def template(self, key: str) -> str:
        """The sentence of a key with its braces, for those who fill them in later."""
        return self._words[key]

    def listed(self, parts: Sequence[str], last: str = "and") -> str:
        """Several things in a sentence: "a, b and c", or with "or"."""
        return self(last).join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))

    def note(self, note: Note) -> str:
        """What a note on a dose says; in English where nobody has translated it."""
        sentence = self._words.get(key_of(note.key))
        kinds = _FIELD.findall(NOTES[note.key])
        if sentence is None or len(kinds) > 1:
            return str(note)
        return sentence.format(*(self.local(format(note.value, kind)) for kind in kinds))
