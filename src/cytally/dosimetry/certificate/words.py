"""Every sentence of a sample's report, in English and in French; braces take numbers."""

from __future__ import annotations

from collections.abc import Mapping

from cytally.errors import SettingsError

ENGLISH: Mapping[str, str] = {
    "title": "Biological dosimetry: report on a sample",
    "assay": "Dicentric assay in peripheral blood lymphocytes (topics of ISO 19238)",
    "identity": "1. Sample",
    "laboratory": "Laboratory", "accreditation": "Accreditation", "requested_by": "Requested by",
    "sample": "Code of the sample", "drawn": "Blood drawn", "received": "Received", "reported": "Reported",
    "history": "2. Exposure, as told to the laboratory",
    "exposed": "When", "radiation": "Radiation", "circumstances": "Circumstances",
    "earlier": "Earlier exposures, therapy, smoking", "duration": "Duration",
    "acute": "acute (taken as such)", "hours": "{} h; quadratic term times G = {} (repair in {} h)",
    "method": "3. Material and method",
    "tube": "Tube and transport", "culture": "Culture", "stain": "Staining", "scored_by": "Scored by",
    "selection": "Cells taken for scoring",
    "automatic": "ensemble {} of cytally, detector {}", "by_eye": "people, by eye",
    "counts": "4. Counts",
    "cells": "Cells scored", "dicentrics": "Dicentrics", "yield": "Dicentrics per cell, exact 95 % limits",
    "limits": "{} ({} to {})", "skipped": "Images that could not be scored",
    "distribution": "Dicentrics in a cell", "of_cells": "Cells",
    "dispersion": "Variance over mean; u", "index_and_u": "{}; u = {}",
    "poisson": "The dicentrics are distributed over the cells as chance does (Poisson): no sign of an uneven exposure.",
    "over": "The dicentrics are more unevenly distributed than chance allows (u > 1.96): the exposure may have been partial or uneven.",
    "under": "The dicentrics are more evenly distributed than chance allows (u < -1.96): the selection of cells must be checked.",
    "too_few": "There are too few dicentrics to say whether they follow a Poisson distribution.",
    "totals_only": "Only totals were given: nothing can be said about their distribution over cells.",
    "curve": "5. Calibration curve",
    "curve_of": "Curve of", "curve_radiation": "Radiation quality", "curve_detector": "Counted by",
    "form": "Form", "formula": "Y = C + alpha D + beta D²", "line": "Y = C + alpha D", "coefficient": "{} ± {}",
    "linear-quadratic": "linear-quadratic", "linear": "linear", "Poisson": "Poisson", "quasi-Poisson": "quasi-Poisson",
    "as published": "as published", "fitted": "{}, fitted as {}", "dose_rate": "Dose rate", "quantity": "Quantity", "medium": "Medium",
    "temperature": "Temperature", "thresholds": "Thresholds of the detector", "counted_by": "Counted for the curve by",
    "made": "Made", "range": "Calibrated range", "up_to": "0 to {} Gy",
    "fit": "Goodness of fit", "chi2": "chi² = {}, {} degrees of freedom, p = {}", "unknown": "not stated",
    "dose": "6. Dose",
    "estimate": "Mean absorbed dose to the whole body", "dose_limits": "95 % limits", "between": "{} to {} Gy",
    "open": "{} Gy, no upper limit", "limits_by": "Limits by", "note": "Note: {}.",
    "merkle_limits": "The same by Merkle's method (83 % and 83 %)",
    "members": "the ensemble's members disagree (standard deviation {} dicentrics): the limits carry it",
    "merkle": "Merkle's method: limits of 83 % of the count and of the curve, about 95 % together",
    "merkle95": "Merkle's method: limits of 95 % of the count and of the curve (wider than 95 % together)",
    "delta": "the delta method", "bayes": "the posterior density (inverse regression), highest density",
    "likelihood": "the likelihood ratio, with the curve's uncertainty inside",
    "errors": "the likelihood ratio, with the detector's own recall and false alarms carried",
    "partial": "7. Exposure of a part of the body",
    "not_indicated": "Not indicated by the counts.",
    "not_estimable": "The counts are overdispersed, but too few cells hold two or more dicentrics: no partial dose can be estimated.",
    "partial_dose": "Dose to the exposed part (contaminated Poisson, Dolphin)", "partial_limits": "{} Gy ({} to {})",
    "body": "Part of the body exposed", "percent": "{} % ({} to {})", "cells_part": "Part of the scored cells that were exposed",
    "meaning": "8. What these numbers do not mean",
    "meaning_1": "The dose is the one that, given evenly to the whole body under the conditions of the curve, would bring about these counts. It says nothing about the dose to a single organ.",
    "meaning_2": "The limits carry the chance in the count and the uncertainty of the curve. They do not carry differences between people, nor an exposure other than assumed under 2.",
    "meaning_eye": "Counts and curve were made by people.",
    "meaning_same": "Counts and curve were made by the same automatic detector, so that its errors have been absorbed as far as both had cells of the same look.",
    "meaning_other": "Counts and curve were not made by the same detector: the dose holds only as far as both count alike.",
    "meaning_errors": "The automatic detector's recall and false alarms, measured on a validation set, are part of the limits.",
    "remarks": "Remarks",
    "signatures": "9. Signatures", "counted": "Scored", "checked": "Checked", "responsible": "Responsible for the laboratory",
    "sign": "{}: name, date, signature", "made_with": "Computed with cytally {}.", "page": "Page {} of {}",
    "background": "no more dicentrics than the background of the curve: only the upper limit says something",
    "not distinguishable": "not distinguishable from background: the lower limit is 0 Gy",
    "beyond": "beyond the calibrated range (up to {} Gy): extrapolated",
    "overdispersed": "overdispersed (u = {}): the exposure may have been partial or uneven",
    "underdispersed": "underdispersed (u = {}): were cells selected or aberrations overlooked?",
    "background errors": "no more of them than background and false detections explain: only the upper limit says something",
    "contradiction": "so few of them contradict the curve's background (p = {}): were curve and sample scored alike?",
    "exact background": "the curve says nothing of the uncertainty of its background: it is taken as exactly known",
    "upper beyond": "only the upper limit is beyond the calibrated range (up to {} Gy): extrapolated",
    "range unknown": "the calibrated range of the curve is unknown: nothing can be said about extrapolation",
    "lack of fit": "the curve does not fit its own counts (p = {}): the limits may be too narrow",
    "no growth": "the yield of the curve does not grow significantly with dose (p = {})",
    "curve overdispersed": "the curve's own counts are overdispersed over the cells (index {}), its errors Poisson's: the limits are too narrow",
    "delta few": "the delta method is too narrow with so few dicentrics",
    "dose_axis": "dose (Gy)", "yield_axis": "dicentrics per cell", "band": "95 % band of the curve",
    "curve_line": "calibration curve", "curve_points": "calibration samples", "this_sample": "this sample",
    "decimal": ".",
}  # fmt: skip

FRENCH: Mapping[str, str] = {
    "title": "Dosimétrie biologique : rapport sur un échantillon",
    "assay": "Test des dicentriques dans les lymphocytes du sang périphérique (rubriques de l'ISO 19238)",
    "identity": "1. Échantillon",
    "laboratory": "Laboratoire", "accreditation": "Accréditation", "requested_by": "Demandé par",
    "sample": "Code de l'échantillon", "drawn": "Prélèvement", "received": "Réception", "reported": "Date du rapport",
    "history": "2. Exposition, telle que déclarée au laboratoire",
    "exposed": "Date", "radiation": "Rayonnement", "circumstances": "Circonstances",
    "earlier": "Expositions antérieures, thérapie, tabac", "duration": "Durée",
    "acute": "aiguë (considérée comme telle)", "hours": "{} h ; terme quadratique multiplié par G = {} (réparation en {} h)",
    "method": "3. Matériel et méthode",
    "tube": "Tube et transport", "culture": "Culture", "stain": "Coloration", "scored_by": "Comptage par",
    "selection": "Cellules retenues pour le comptage",
    "automatic": "ensemble {} de cytally, détecteur {}", "by_eye": "personnes, à l'œil",
    "counts": "4. Comptage",
    "cells": "Cellules comptées", "dicentrics": "Dicentriques", "yield": "Dicentriques par cellule, limites exactes à 95 %",
    "limits": "{} ({} à {})", "skipped": "Images qui n'ont pu être comptées",
    "distribution": "Dicentriques dans une cellule", "of_cells": "Cellules",
    "dispersion": "Variance sur moyenne ; u", "index_and_u": "{} ; u = {}",
    "poisson": "Les dicentriques se répartissent entre les cellules comme le veut le hasard (Poisson) : aucun signe d'une exposition hétérogène.",
    "over": "Les dicentriques sont plus inégalement répartis que ne le permet le hasard (u > 1,96) : l'exposition a pu être partielle ou hétérogène.",
    "under": "Les dicentriques sont plus également répartis que ne le permet le hasard (u < -1,96) : la sélection des cellules est à vérifier.",
    "too_few": "Les dicentriques sont trop peu nombreux pour dire s'ils suivent une loi de Poisson.",
    "totals_only": "Seuls des totaux ont été donnés : rien ne peut être dit de leur répartition entre les cellules.",
    "curve": "5. Courbe d'étalonnage",
    "curve_of": "Courbe de", "curve_radiation": "Qualité du rayonnement", "curve_detector": "Comptée par",
    "form": "Forme", "formula": "Y = C + alpha D + bêta D²", "line": "Y = C + alpha D", "coefficient": "{} ± {}",
    "linear-quadratic": "linéaire-quadratique", "linear": "linéaire", "Poisson": "Poisson", "quasi-Poisson": "quasi-Poisson",
    "as published": "telle que publiée", "fitted": "{}, ajustée comme {}", "dose_rate": "Débit de dose", "quantity": "Grandeur", "medium": "Milieu",
    "temperature": "Température", "thresholds": "Seuils du détecteur", "counted_by": "Comptage de la courbe par",
    "made": "Établie", "range": "Domaine étalonné", "up_to": "0 à {} Gy",
    "fit": "Qualité de l'ajustement", "chi2": "chi² = {}, {} degrés de liberté, p = {}", "unknown": "non précisé",
    "dose": "6. Dose",
    "estimate": "Dose absorbée moyenne au corps entier", "dose_limits": "Limites à 95 %", "between": "{} à {} Gy",
    "open": "{} Gy, sans limite supérieure", "limits_by": "Limites par", "note": "Note : {}.",
    "merkle_limits": "Les mêmes par la méthode de Merkle (83 % et 83 %)",
    "members": "les membres de l'ensemble ne sont pas d'accord (écart type {} dicentriques) : les limites en tiennent compte",
    "merkle": "la méthode de Merkle : limites à 83 % du comptage et de la courbe, environ 95 % ensemble",
    "merkle95": "la méthode de Merkle : limites à 95 % du comptage et de la courbe (plus de 95 % ensemble)",
    "delta": "la méthode delta", "bayes": "la densité a posteriori (régression inverse), plus haute densité",
    "likelihood": "le rapport de vraisemblance, incertitude de la courbe comprise",
    "errors": "le rapport de vraisemblance, sensibilité et fausses alarmes du détecteur comprises",
    "partial": "7. Exposition d'une partie du corps",
    "not_indicated": "Le comptage n'en donne pas d'indice.",
    "not_estimable": "Les comptages sont surdispersés, mais trop peu de cellules portent deux dicentriques ou plus : aucune dose partielle ne peut être estimée.",
    "partial_dose": "Dose à la partie exposée (Poisson contaminée, Dolphin)", "partial_limits": "{} Gy ({} à {})",
    "body": "Partie du corps exposée", "percent": "{} % ({} à {})", "cells_part": "Part des cellules comptées qui ont été exposées",
    "meaning": "8. Ce que ces nombres ne disent pas",
    "meaning_1": "La dose est celle qui, reçue également par le corps entier dans les conditions de la courbe, produirait ces comptages. Elle ne dit rien de la dose à un organe particulier.",
    "meaning_2": "Les limites comprennent le hasard du comptage et l'incertitude de la courbe. Elles ne comprennent ni les différences entre personnes, ni une exposition autre que supposée au point 2.",
    "meaning_eye": "Comptage et courbe ont été faits par des personnes.",
    "meaning_same": "Comptage et courbe ont été faits par le même détecteur automatique : ses erreurs sont absorbées pour autant que les cellules aient eu le même aspect.",
    "meaning_other": "Comptage et courbe n'ont pas été faits par le même détecteur : la dose ne vaut que si les deux comptent de même.",
    "meaning_errors": "La sensibilité et les fausses alarmes du détecteur automatique, mesurées sur un jeu de validation, font partie des limites.",
    "remarks": "Remarques",
    "signatures": "9. Signatures", "counted": "Comptage", "checked": "Vérification", "responsible": "Responsable du laboratoire",
    "sign": "{} : nom, date, signature", "made_with": "Calculé avec cytally {}.", "page": "Page {} sur {}",
    "background": "pas plus de dicentriques que le bruit de fond de la courbe : seule la limite supérieure a un sens",
    "not distinguishable": "ne se distingue pas du bruit de fond : la limite inférieure est 0 Gy",
    "beyond": "au-delà du domaine étalonné (jusqu'à {} Gy) : extrapolé",
    "overdispersed": "surdispersion (u = {}) : l'exposition a pu être partielle ou hétérogène",
    "underdispersed": "sous-dispersion (u = {}) : des cellules ont-elles été choisies, des aberrations omises ?",
    "background errors": "pas plus que n'en expliquent le bruit de fond et les fausses détections : seule la limite supérieure a un sens",
    "contradiction": "un si petit nombre contredit le bruit de fond de la courbe (p = {}) : la courbe et l'échantillon ont-ils été comptés de même ?",
    "exact background": "la courbe ne dit rien de l'incertitude de son bruit de fond : il est pris comme exactement connu",
    "upper beyond": "seule la limite supérieure est au-delà du domaine étalonné (jusqu'à {} Gy) : extrapolée",
    "range unknown": "le domaine étalonné de la courbe n'est pas connu : rien ne peut être dit d'une extrapolation",
    "lack of fit": "la courbe ne s'ajuste pas à ses propres comptages (p = {}) : les limites peuvent être trop étroites",
    "no growth": "le rendement de la courbe ne croît pas significativement avec la dose (p = {})",
    "curve overdispersed": "les comptages de la courbe sont eux-mêmes surdispersés entre les cellules (indice {}), ses erreurs celles de Poisson : les limites sont trop étroites",
    "delta few": "la méthode delta est trop étroite avec si peu de dicentriques",
    "dose_axis": "dose (Gy)", "yield_axis": "dicentriques par cellule", "band": "bande à 95 % de la courbe",
    "curve_line": "courbe d'étalonnage", "curve_points": "échantillons d'étalonnage", "this_sample": "cet échantillon",
    "decimal": ",",
}  # fmt: skip

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
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self.language == "fr" else text
